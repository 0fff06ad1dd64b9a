// What was said of userfaultfd write protection when it was proposed, and whether it holds in what the
// mechanisms workload measured. The cover letter of the proposal (Peter Xu, "[PATCH RFC 00/24]
// userfaultfd: write protection support", linux-mm, 21 January 2019) gives no figures: performance stands
// in its list of work to do. The claims are those of its documentation patch, of its commits, and of the
// series that came after it.
import type { Table } from '../report/result.js';

/** Medians of one mechanism, with huge pages or without. Times in nanoseconds. */
export interface Medians {
  readonly arm: number;
  readonly armAgain: number;
  readonly firstP50: number;
  readonly firstP99: number;
  readonly cpu: number;
  readonly mappings: number;
  readonly extra: number;
  readonly failure: string;
}

/** Null for a mechanism that cannot be had here. */
export type Lookup = (name: string, hugePages: boolean) => Medians | null;

interface Claim {
  readonly quote: string;
  readonly source: string;
  readonly tests: readonly Test[];
}

/** Compares one mechanism with another; it holds when the first is the smaller. */
interface Test {
  readonly what: string;
  readonly of: string;
  readonly against: string;
  readonly figure: (medians: Medians) => number;
  readonly text: (figure: number) => string;
}

/** Medians nearer than this are the same: the rounds lie as far apart. */
const SAME = 0.1;

const DOCUMENTATION = 'Documentation/admin-guide/mm/userfaultfd.rst';
const micros = (nanos: number): string => `${(nanos / 1000).toFixed(1)} us`;
const millis = (nanos: number): string => `${(nanos / 1e6).toFixed(2)} ms`;

/** mprotect that gave out has no figure: it did not do the work. */
const unlessGaveOut = (figure: (medians: Medians) => number) => (medians: Medians) =>
  medians.failure === '' ? figure(medians) : Number.POSITIVE_INFINITY;

const CLAIMS: readonly Claim[] = [
  {
    quote: '"equivalent to (but faster than) using mprotect and a SIGSEGV signal handler"',
    source: `${DOCUMENTATION}, Write Protect Notifications, patch 22 of the proposal`,
    tests: [
      {
        what: 'caught write, p50: handler thread, as proposed, to mprotect',
        of: 'uffd-thread',
        against: 'mprotect-4k',
        figure: (one) => one.firstP50,
        text: micros,
      },
      {
        what: 'caught write, p50: SIGBUS on the same thread to mprotect',
        of: 'uffd-sigbus',
        against: 'mprotect-4k',
        figure: (one) => one.firstP50,
        text: micros,
      },
      {
        what: 'CPU time of the whole run: SIGBUS to mprotect',
        of: 'uffd-sigbus',
        against: 'mprotect-4k',
        figure: unlessGaveOut((one) => one.cpu),
        text: (figure) => (Number.isFinite(figure) ? millis(figure) : 'gave out'),
      },
    ],
  },
  {
    quote: '"Unlike mprotect, this doesn\'t split/merge vmas"',
    source:
      'commit ffd05793963a, "userfaultfd: wp: support write protection for userfault vma range"',
    tests: [
      {
        what: 'mappings that the writes made: userfaultfd to mprotect',
        of: 'uffd-sigbus',
        against: 'mprotect-4k',
        figure: unlessGaveOut((one) => one.mappings),
        text: (figure) => (Number.isFinite(figure) ? String(figure) : 'more than there may be'),
      },
    ],
  },
  {
    quote: '"the avoidance of fork overhead in the first place"',
    source: 'Andrea Arcangeli on live snapshots, userfaultfd.txt of 2015',
    tests: [
      {
        what: 'arming, memory as it was populated: userfaultfd to fork',
        of: 'uffd-sigbus',
        against: 'fork',
        figure: (one) => one.arm,
        text: millis,
      },
      {
        what: 'arming again, after random writes: userfaultfd to fork',
        of: 'uffd-sigbus',
        against: 'fork',
        figure: (one) => one.armAgain,
        text: millis,
      },
      {
        what: 'a write that keeps the old page, p50: userfaultfd, SIGBUS to fork',
        of: 'uffd-sigbus',
        against: 'fork',
        figure: (one) => one.firstP50,
        text: micros,
      },
    ],
  },
  {
    quote: '"allowing to limit/throttle the memory usage, unlike fork would"',
    source: 'the same; that it can be limited is shown by the extra memory of `heaps`',
    tests: [
      {
        what: 'extra memory when nothing limits it: userfaultfd to fork',
        of: 'uffd-sigbus',
        against: 'fork',
        figure: (one) => one.extra,
        text: (figure) => `${(figure / 2 ** 20).toFixed(0)} MiB`,
      },
    ],
  },
  {
    quote:
      'finding written pages "entirely in userspace", with mprotect and SIGSEGV or synchronous userfaultfd, ' +
      '"isn\'t efficient" beside WP_ASYNC and PAGEMAP_SCAN',
    source:
      '"Implement IOCTL to get and optionally clear info about PTEs", cover letter of v10, 2023',
    tests: [
      {
        what: 'CPU time of the whole run: asynchronous, which keeps nothing, to SIGBUS',
        of: 'uffd-async',
        against: 'uffd-sigbus',
        figure: (one) => one.cpu,
        text: millis,
      },
    ],
  },
];

/** Each claim with and without huge pages: the figures, and whether the first is the smaller. */
export function claimsTable(lookup: Lookup): Table {
  return {
    id: 'claims',
    title: 'What was said of userfaultfd write protection, and what holds here',
    header: ['measured', 'claim', 'huge pages', 'first', 'second', 'holds'],
    rows: CLAIMS.flatMap(({ tests }, index) =>
      tests.flatMap((test) =>
        [true, false].map((hugePages) => [
          test.what,
          String(index + 1),
          hugePages ? 'on' : 'off',
          ...judge(test, lookup(test.of, hugePages), lookup(test.against, hugePages)),
        ]),
      ),
    ),
  };
}

/** The claims in their words, with their sources, and what the proposal does not say. */
export function claimNotes(): string[] {
  return [
    ...CLAIMS.map(({ quote, source }, index) => `Claim ${index + 1}: ${quote} (${source}).`),
    'The proposal itself (Peter Xu, "[PATCH RFC 00/24] userfaultfd: write protection support", linux-mm, 21 ' +
      'January 2019) gives no figures: "performance" stands in its list of things to do.',
  ];
}

function judge({ figure, text }: Test, of: Medians | null, against: Medians | null): string[] {
  const texts = [of, against].map((one) => (one === null ? 'not to be had' : text(figure(one))));
  if (of === null || against === null) return [...texts, 'not known'];
  const [first, second] = [figure(of), figure(against)];
  if (first === second || Math.abs(first - second) < SAME * Math.min(first, second)) {
    return [...texts, 'no: the same'];
  }
  return [...texts, first < second ? 'yes' : 'no'];
}

// The writer's plan for a consistent-cut test: slots in a fixed order, each with a state per round.
//
// Round r brings slot 0, 1, 2, ... from state r-1 to state r by commands that depend on nothing but
// (slot, r). So a snapshot between two commands is known by its prefix: slots 0..j are in the state
// of round r, the slots after j in that of round r-1. States of neighbouring rounds differ in every
// slot, so a torn or missing write shows.
import { Random } from '../support/random.js';

export interface Slot {
  /** RESP bytes (binary string) that take the slot from round r-1 to r, and how many replies. */
  write(round: number): { bytes: string; replies: number };
  /** Brings the slot to the state of a round from any state. */
  reset(round: number): { bytes: string; replies: number };
  /** What to ask, and what the answer is in the state of a round (see shown() in verify). */
  readonly ask: readonly (readonly string[])[];
  expected(round: number): readonly (string | null)[];
}

/** A request as a binary string: string building is the fastest way to make many. */
export function request(...words: (string | number)[]): string {
  let bytes = `*${words.length}\r\n`;
  for (const word of words) {
    const text = String(word);
    bytes += `$${text.length}\r\n${text}\r\n`;
  }
  return bytes;
}

const NOISE = new Random(99).bytes(1 << 16).toString('latin1');
const FAR_MILLIS = 4_102_444_800_000;

/** A value that only (slot, round) has: a readable head and padding of a random size. */
export function valueAt(name: string, round: number, paddingMax: number): string {
  const mixed =
    (Math.imul(round + 1, 0x9e3779b1) ^ Math.imul(name.length * 131 + hash(name), 0x85ebca6b)) >>>
    0;
  const length = mixed % (paddingMax + 1);
  const from = (mixed >>> 8) % (NOISE.length - paddingMax);
  return `${name}@${round}|${NOISE.slice(from, from + length)}`;
}

function hash(text: string): number {
  let h = 0;
  for (let i = 0; i < text.length; i++) h = (Math.imul(h, 31) + text.charCodeAt(i)) | 0;
  return h;
}

const select = (database: number, inner: string, replies: number) => ({
  bytes: request('SELECT', database) + inner + request('SELECT', 0),
  replies: replies + 2,
});

/** SET of a value of random size. */
function plainSlot(name: string, paddingMax: number): Slot {
  const write = (round: number) => ({
    bytes: request('SET', name, valueAt(name, round, paddingMax)),
    replies: 1,
  });
  return {
    write,
    reset: write,
    ask: [['GET', name]],
    expected: (round) => [valueAt(name, round, paddingMax)],
  };
}

/** There in odd rounds, deleted in even ones. */
function comingAndGoing(name: string, paddingMax: number): Slot {
  const write = (round: number) => ({
    bytes:
      round % 2 === 1
        ? request('SET', name, valueAt(name, round, paddingMax))
        : request('DEL', name),
    replies: 1,
  });
  return {
    write,
    reset: write,
    ask: [['GET', name]],
    expected: (round) => [round % 2 === 1 ? valueAt(name, round, paddingMax) : null],
  };
}

/** A deadline that moves by a millisecond each round. */
function expiringSlot(name: string): Slot {
  const write = (round: number) => ({
    bytes: request('SET', name, `${name}@${round}`, 'PXAT', FAR_MILLIS + round),
    replies: 1,
  });
  return {
    write,
    reset: write,
    ask: [
      ['GET', name],
      ['PEXPIRETIME', name],
    ], // prettier-ignore
    expected: (round) => [`${name}@${round}`, String(FAR_MILLIS + round)],
  };
}

/** In another database, moved back and forth between two names. */
function renamedSlot(name: string, database: number): Slot {
  const names = [`${name}:even`, `${name}:odd`] as const;
  return {
    write: (round) =>
      select(
        database,
        request('RENAME', names[(round + 1) % 2] as string, names[round % 2] as string),
        1,
      ),
    reset: (round) =>
      select(
        database,
        request('DEL', ...names) + request('SET', names[round % 2] as string, name),
        2,
      ),
    ask: [
      ['SELECT', String(database)],
      ['GET', names[0]],
      ['GET', names[1]],
      ['SELECT', '0'],
    ], // prettier-ignore
    expected: (round) => ['OK', round % 2 === 0 ? name : null, round % 2 === 1 ? name : null, 'OK'],
  };
}

/** A long value, changed in place at a place that depends on the round. */
function patchedSlot(name: string, length: number): Slot {
  const stamp = (round: number): string => String(round).padStart(12, '0');
  const head = (round: number): string => stamp(round) + 'p'.repeat(length);
  return {
    write: (round) => ({ bytes: request('SETRANGE', name, 0, stamp(round)), replies: 1 }),
    reset: (round) => ({ bytes: request('SET', name, head(round)), replies: 1 }),
    ask: [['GET', name]],
    expected: (round) => [head(round)],
  };
}

/** Two counters that only a transaction touches. */
function pairSlot(name: string): Slot {
  return {
    write: () => ({
      bytes:
        request('MULTI') +
        request('INCR', `${name}:a`) +
        request('INCR', `${name}:b`) +
        request('EXEC'),
      replies: 4,
    }),
    reset: (round) => ({
      bytes: request('MSET', `${name}:a`, round, `${name}:b`, round),
      replies: 1,
    }),
    ask: [
      ['GET', `${name}:a`],
      ['GET', `${name}:b`],
    ], // prettier-ignore
    expected: (round) => [String(round), String(round)],
  };
}

/** The first slot tells the round. */
function counterSlot(name: string): Slot {
  return {
    write: () => ({ bytes: request('INCR', name), replies: 1 }),
    reset: (round) => ({ bytes: request('SET', name, round), replies: 1 }),
    ask: [['GET', name]],
    expected: (round) => [String(round)],
  };
}

export const COUNTER = 'round';

/** `count` slots, most of them plain, of sizes up to `paddingMax`. */
export function makeSlots(random: Random, count: number, paddingMax: number): Slot[] {
  const slots: Slot[] = [counterSlot(COUNTER)];
  for (let i = 1; i < count; i++) {
    const kind = random.below(20);
    if (kind < 2) slots.push(comingAndGoing(`come:${i}`, paddingMax));
    else if (kind === 2) slots.push(expiringSlot(`expire:${i}`));
    else if (kind === 3) slots.push(renamedSlot(`rename:${i}`, random.between(1, 15)));
    else if (kind === 4)
      slots.push(patchedSlot(`patch:${i}`, random.between(1, paddingMax + 1) * 4));
    else if (kind === 5) slots.push(pairSlot(`pair:${i}`));
    else slots.push(plainSlot(`key:${i}`, paddingMax));
  }
  return slots;
}

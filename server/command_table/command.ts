// What a command is: one row of data. Dispatch, COMMAND, INFO commandstats and the checks all read
// the same row. A command with subcommands (CONFIG GET) has a row for each below its own.
import type { Client } from '../client.js';
import type { LatencyHistogram } from '../latency.js';

/** Names as COMMAND INFO prints them; the bits are for dispatch. */
export const FLAG_BITS = {
  write: 1 << 0,
  readonly: 1 << 1,
  denyoom: 1 << 2,
  admin: 1 << 3,
  pubsub: 1 << 4,
  noscript: 1 << 5,
  blocking: 1 << 6,
  loading: 1 << 7,
  stale: 1 << 8,
  skip_monitor: 1 << 9,
  skip_slowlog: 1 << 10,
  asking: 1 << 11,
  fast: 1 << 12,
  no_auth: 1 << 13,
  may_replicate: 1 << 14,
  no_multi: 1 << 15,
  allow_busy: 1 << 16,
  movablekeys: 1 << 17,
  no_async_loading: 1 << 18,
  no_mandatory_keys: 1 << 19,
} as const;
export type CommandFlag = keyof typeof FLAG_BITS;

/** A key specification as Redis 7 documents it (COMMAND INFO, tenth element). */
export interface KeySpec {
  readonly flags: readonly string[];
  readonly notes?: string;
  readonly begin:
    | { readonly index: number }
    | { readonly keyword: string; readonly startFrom: number }
    | 'unknown';
  readonly find:
    | { readonly lastKey: number; readonly keyStep: number; readonly limit: number }
    | { readonly keyNumIndex: number; readonly firstKey: number; readonly keyStep: number }
    | 'unknown';
  /** Where `begin` is unknown: the argument of the key in the request that starts at argument `first`, or
   *  -1. Absent: the keys depend on the data. */
  readonly locate?: (first: number) => number;
}

/** An argument as COMMAND DOCS describes it. */
export interface ArgumentDoc {
  readonly name: string;
  readonly type: string;
  readonly token?: string;
  readonly keySpec?: number;
  readonly since?: string;
  readonly deprecatedSince?: string;
  readonly displayText?: string;
  readonly flags?: readonly ('optional' | 'multiple' | 'multiple_token')[];
  readonly arguments?: readonly ArgumentDoc[];
}

export interface CommandRow {
  /** Lower case; for a subcommand its own word ('get' of 'config|get'). */
  readonly name: string;
  /** Arguments with the name: exactly n, or at least -n. Subcommands count both words. */
  readonly arity: number;
  readonly flags: readonly CommandFlag[];
  /** ACL categories without '@', beyond those that follow from the flags. */
  readonly categories: readonly string[];
  readonly tips?: readonly string[];
  readonly keySpecs?: readonly KeySpec[];
  /** The flags of the keys in the request that starts at argument `first`, where the key
   *  specification says 'variable_flags': COMMAND GETKEYSANDFLAGS. */
  readonly keyFlags?: (first: number) => readonly string[];
  /** First key, last key, step, as COMMAND INFO prints them; absent: no keys. */
  readonly keys?: readonly [first: number, last: number, step: number];
  readonly summary: string;
  readonly since: string;
  readonly group: string;
  readonly complexity?: string;
  /** Since when another command should be used, and which (Markdown). */
  readonly deprecated?: { readonly since: string; readonly replacedBy: string };
  readonly history?: readonly (readonly [version: string, change: string])[];
  /** For people who look after the server, not for its users: `syscmd` of COMMAND DOCS. */
  readonly isSystem?: boolean;
  readonly arguments?: readonly ArgumentDoc[];
  /** The argument that names a field or member of the key's value, the first if there are several. */
  readonly member?: number;
  /** A check of its own before all others but arity: null, or the error (DEBUG's switch). */
  readonly guard?: (client: Client) => string | null;
  /** Executes the request in `args` and writes exactly one reply. */
  readonly handler: (client: Client) => void;
  readonly subcommands?: readonly CommandRow[];
}

/** Handler of a row that only holds subcommands: its arity demands one, so nothing calls it. */
export function containerHandler(): never {
  throw new Error('a container of subcommands is not a command');
}

/** Groups whose commands open a value that lies apart from its key's entry. */
const COLLECTION_GROUPS: ReadonlySet<string> = new Set(['hash', 'set', 'sorted-set']);

/** A row made ready for dispatch, with its counters. */
export class Command {
  /** 'get', 'config|get'. */
  readonly fullName: string;
  readonly flagBits: number;
  readonly arity: number;
  /** For looking ahead (storage/structures/look_ahead.ts): whether the key's value is opened, and the
   *  argument of its member, or 0. */
  readonly opensValue: boolean;
  readonly member: number;
  readonly handler: (client: Client) => void;
  readonly guard: ((client: Client) => string | null) | null;
  readonly subcommands: ReadonlyMap<string, Command> | null;

  // INFO commandstats. Which calls are timed, and what stands for the others: execute.ts.
  calls = 0;
  micros = 0;
  /** The next call that is timed, and the calls up to the last one that was, counted from 0. */
  timedAt = 0;
  timedThrough = 0;
  rejected = 0;
  failed = 0;
  /** Of the measured calls; null before the first. */
  latencies: LatencyHistogram | null = null;

  constructor(
    readonly row: CommandRow,
    readonly parent: Command | null,
  ) {
    this.fullName = parent === null ? row.name : `${parent.fullName}|${row.name}`;
    let bits = 0;
    for (const flag of row.flags) bits |= FLAG_BITS[flag];
    this.flagBits = bits;
    this.arity = row.arity;
    this.opensValue = COLLECTION_GROUPS.has(row.group);
    this.member = row.member ?? 0;
    this.handler = row.handler;
    this.guard = row.guard ?? null;
    this.subcommands =
      row.subcommands === undefined
        ? null
        : new Map(row.subcommands.map((sub) => [sub.name, new Command(sub, this)]));
  }

  has(flag: CommandFlag): boolean {
    return (this.flagBits & FLAG_BITS[flag]) !== 0;
  }

  /** Back to zero: CONFIG RESETSTAT. */
  resetCounters(): void {
    this.calls = 0;
    this.micros = 0;
    this.timedAt = 0;
    this.timedThrough = 0;
    this.rejected = 0;
    this.failed = 0;
    this.latencies = null;
  }

  /** Whether a request of `count` arguments has the right number. */
  accepts(count: number): boolean {
    return this.arity >= 0 ? count === this.arity : count >= -this.arity;
  }
}

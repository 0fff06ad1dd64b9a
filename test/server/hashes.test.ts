// Hash commands against plain maps, field expiry among them, with a walk over the heap after each one: seeded
// random commands under small thresholds, checkpoints as placement sees them, restarts, a full arena. The
// handlers run here without a server. HASHES_SEED replays a run, HASHES_OPERATIONS lengthens it.
import { describe, expect, test } from 'vitest';
import { openTestArena } from '../support/open_arena.js';
import { numberFromEnv, Random } from '../support/random.js';
import { type Plain, plain } from '../support/reply.js';

const allocator = await openTestArena(96 * 1024 * 1024);
const { verifyHeap } = await import('../../storage/checkpoint/verify.js');
const { attachHeap, createHeap, flushHeap } = await import('../../storage/heap.js');
const { deleteExpired, deleteExpiredFields, flushDatabase, keyCount } = await import(
  '../../storage/keyspace/keyspace.js'
);
const { hashesExpiring } = await import('../../storage/keyspace/field_expiry.js');
const { EXPIRY_CLEAR, putString } = await import('../../storage/keyspace/string_keys.js');
const { databaseRoot } = await import('../../storage/memory/layout.js');
const { clock, setClock } = await import('../../storage/structures/clock.js');
const { freeRetired, hasRetired } = await import('../../storage/values/retired.js');
const { runtime } = await import('../../server/runtime.js');
const { CheckpointSteps } = await import('../storage/checkpoint_steps.js');
const { call, run } = await import('../support/run_command.js');

const SEED = numberFromEnv('HASHES_SEED', 7_700);
const OPERATIONS = numberFromEnv('HASHES_OPERATIONS', 4000);
const START_MILLIS = 1_700_000_000_000;
const OUT_OF_MEMORY = /^OOM/;

interface Field {
  value: string;
  /** Milliseconds of Unix time; null: never. */
  expiry: number | null;
}

createHeap(2, () => 12_345);
const database = databaseRoot(0);

class HashModel {
  private readonly hashes = new Map<string, Map<string, Field>>();
  private readonly checkpoint: InstanceType<typeof CheckpointSteps>;
  refused = 0;

  constructor(
    private readonly random: Random,
    private readonly fieldCount: number,
    private readonly valueBytes: readonly number[],
  ) {
    flushHeap();
    setClock(START_MILLIS);
    this.checkpoint = new CheckpointSteps(random);
    runtime.config.hashMaxListpackEntries = 6;
    runtime.config.hashMaxListpackValue = 12;
  }

  private key(): string {
    return this.random.pick(['a', 'b', 'c', `d${'x'.repeat(5000)}`]);
  }
  private field(): string {
    const { random } = this;
    if (random.chance(0.02)) return 'long'.repeat(random.pick([63, 64, 1200]));
    return `f${random.below(this.fieldCount)}`;
  }
  private value(): string {
    const { random } = this;
    if (random.chance(0.5)) return String(random.between(-1000, 1000));
    return 'v'.repeat(random.pick(this.valueBytes));
  }

  /** Fields that are there at this time; without any the key goes, as the commands see to. */
  private live(key: string): Map<string, Field> {
    const fields = this.hashes.get(key) ?? new Map<string, Field>();
    for (const [name, { expiry }] of fields) {
      if (expiry !== null && expiry < clock.nowMillis) fields.delete(name);
    }
    if (fields.size === 0) this.hashes.delete(key);
    return fields;
  }

  private keep(key: string, fields: Map<string, Field>): void {
    if (fields.size === 0) this.hashes.delete(key);
    else this.hashes.set(key, fields);
  }

  /** Whether a command was done; if it was not, the arena must be full. */
  private isDone(reply: unknown): boolean {
    if (!OUT_OF_MEMORY.test(String(reply))) return true;
    this.refused++;
    return false;
  }

  private set(key: string): void {
    const fields = this.live(key);
    const count = this.random.pick([1, 1, 1, 2, 3, 9]);
    const pairs: string[] = [];
    const after = new Map(fields);
    for (let i = 0; i < count; i++) {
      const [field, value] = [this.field(), this.value()];
      pairs.push(field, value);
      after.set(field, { value, expiry: null });
    }
    const reply = this.reply('HSET', key, ...pairs);
    if (!this.isDone(reply)) {
      this.adopt(key); // fields before the one that was refused are set
      return;
    }
    expect(reply).toBe(after.size - fields.size);
    this.keep(key, after);
  }

  private increment(key: string): void {
    const fields = this.live(key);
    const field = this.field();
    const old = fields.get(field);
    const reply = this.reply('HINCRBY', key, field, 7);
    if (old !== undefined && !/^-?\d{1,15}$/.test(old.value)) {
      expect(reply).toMatch(/not an integer/);
    } else if (this.isDone(reply)) {
      const value = String(Number(old?.value ?? 0) + 7);
      expect(String(reply)).toBe(value);
      fields.set(field, { value, expiry: old?.expiry ?? null });
      this.keep(key, fields);
    }
  }

  private remove(key: string): void {
    const fields = this.live(key);
    const names = Array.from({ length: this.random.between(1, 4) }, () => this.field());
    const gone = new Set(names.filter((name) => fields.has(name)));
    expect(this.reply('HDEL', key, ...names)).toBe(gone.size);
    for (const name of gone) fields.delete(name);
    this.keep(key, fields);
  }

  private expire(key: string): void {
    const { random } = this;
    const fields = this.live(key);
    const names = Array.from({ length: random.between(1, 3) }, () => this.field());
    const condition = random.pick(['', '', 'NX', 'XX', 'GT', 'LT']);
    const time = clock.nowMillis + random.pick([-5, 0, 1, 20, 20, 1000, 60_000, 1e9]);
    const after = new Map([...fields].map(([name, field]) => [name, { ...field }]));
    const expected = names.map((name) => {
      const field = after.get(name);
      if (field === undefined) return -2;
      const old = field.expiry;
      const holds =
        condition === '' ||
        (condition === 'NX' && old === null) ||
        (condition === 'XX' && old !== null) ||
        (condition === 'GT' && old !== null && time > old) ||
        (condition === 'LT' && (old === null || time < old));
      if (!holds) return 0;
      if (time <= clock.nowMillis) {
        after.delete(name);
        return 2;
      }
      field.expiry = time;
      return 1;
    });
    const words = condition === '' ? [] : [condition];
    const reply = this.reply('HPEXPIREAT', key, time, ...words, 'FIELDS', names.length, ...names);
    if (!this.isDone(reply)) {
      this.adopt(key);
      return;
    }
    expect(reply).toEqual(expected);
    this.keep(key, after);
  }

  private persist(key: string): void {
    const fields = this.live(key);
    const field = this.field();
    const found = fields.get(field);
    const reply = this.reply('HPERSIST', key, 'FIELDS', 1, field);
    if (!this.isDone(reply)) return;
    expect(reply).toEqual([found === undefined ? -2 : found.expiry === null ? -1 : 1]);
    if (found !== undefined) found.expiry = null;
  }

  private transfer(key: string): void {
    const target = this.key();
    const fields = this.live(key);
    this.live(target);
    if (target === key) return;
    // Whether a hash whose fields have all expired still counts as a key depends on who met it: meet it.
    this.reply('HLEN', key);
    const isMove = this.random.chance(0.5);
    const reply = isMove
      ? this.reply('RENAME', key, target)
      : this.reply('COPY', key, target, 'REPLACE');
    if (fields.size === 0) {
      expect(isMove ? /no such key/.test(String(reply)) : reply === 0).toBe(true);
      return;
    }
    if (!this.isDone(reply)) return;
    this.hashes.set(target, new Map([...fields].map(([name, field]) => [name, { ...field }])));
    if (isMove) this.hashes.delete(key);
  }

  private advance(): void {
    const { random } = this;
    setClock(clock.nowMillis + random.pick([0, 1, 5, 100, 2000]));
    deleteExpired(database, 10);
    deleteExpiredFields(database, random.pick([1, 3, 1000]));
    if (!random.chance(0.1)) return;
    while (deleteExpiredFields(database, 1000) > 0);
    for (const key of [...this.hashes.keys()]) this.live(key);
    expect(keyCount(database)).toBe(this.hashes.size);
  }

  private flush(): void {
    flushDatabase(database);
    this.hashes.clear();
  }

  step(): void {
    const { random } = this;
    this.checkpoint.step();
    const key = this.key();
    const roll = random.below(1000);
    if (roll < 330) this.set(key);
    else if (roll < 400) this.increment(key);
    else if (roll < 560) this.remove(key);
    else if (roll < 720) this.expire(key);
    else if (roll < 760) this.persist(key);
    else if (roll < 820) this.transfer(key);
    else if (roll < 950) this.advance();
    else if (roll < 970) this.drop(key);
    else if (roll < 975) this.flush();
    else if (roll < 985) freeRetired(random.between(1, 50));
    else this.restart();
    this.compare(key);
    verifyHeap();
  }

  private drop(key: string): void {
    this.reply(this.random.pick(['DEL', 'UNLINK']), key);
    this.hashes.delete(key);
  }

  private restart(): void {
    this.checkpoint.end();
    attachHeap(2, () => this.random.uint32());
  }

  /** Executes a command; errors come as their text. */
  private reply(...words: (string | number)[]): Plain | string {
    const reply = run(...words);
    return reply.type === 'error' ? reply.text : plain(reply);
  }

  /** Takes over what the heap says: after a command that was refused half done. */
  private adopt(key: string): void {
    const pairs = this.reply('HGETALL', key) as string[];
    const fields = new Map<string, Field>();
    for (let i = 0; i < pairs.length; i += 2) {
      const [time] = this.reply('HPEXPIRETIME', key, 'FIELDS', 1, pairs[i]!) as [number];
      fields.set(pairs[i]!, { value: pairs[i + 1]!, expiry: time < 0 ? null : time });
    }
    this.keep(key, fields);
  }

  compare(key: string): void {
    const fields = this.live(key);
    expect(this.reply('HLEN', key)).toBe(fields.size);
    const pairs = this.reply('HGETALL', key) as string[];
    expect(pairs.length).toBe(2 * fields.size);
    for (let i = 0; i < pairs.length; i += 2) {
      if (fields.get(pairs[i]!)?.value !== pairs[i + 1]) {
        throw new Error(`${key.slice(0, 10)}.${pairs[i]} is ${pairs[i + 1]}`);
      }
    }
    const names = [...fields.keys()].slice(0, 5);
    if (names.length === 0) return;
    const times = this.reply('HPEXPIRETIME', key, 'FIELDS', names.length, ...names);
    expect(times).toEqual(names.map((name) => fields.get(name)!.expiry ?? -1));
    expect(this.reply('HMGET', key, ...names)).toEqual(
      names.map((name) => fields.get(name)!.value),
    );
  }

  finish(): void {
    for (const key of [...this.hashes.keys()]) this.compare(key);
    this.checkpoint.end();
    this.flush();
    while (hasRetired()) {
      freeRetired(1000);
      verifyHeap();
    }
    expect(hashesExpiring(database)).toBe(0);
  }
}

describe('hashes against plain maps', () => {
  test.each([
    ['small', 8, [0, 1, 5, 12, 13]],
    ['at the thresholds', 12, [11, 12, 13, 60, 300]],
    ['large', 700, [0, 10, 100, 3000]],
  ])('%s', (_, fieldCount, valueBytes) => {
    const model = new HashModel(new Random(SEED + fieldCount), fieldCount, valueBytes);
    for (let i = 0; i < OPERATIONS; i++) model.step();
    model.finish();
    expect(model.refused).toBe(0);
    expect(allocator.usedBytes()).toBe(0);
  });

  test('in a full arena', () => {
    const random = new Random(SEED + 1);
    const model = new HashModel(random, 200, [5, 100, 1000, 20_000]);
    for (let i = 0; i < OPERATIONS / 4; i++) {
      if (i % 200 === 50) fillArena();
      // What it was filled with is freed in steps, many of them when a command needs the memory.
      if (i % 200 === 150) flushDatabase(databaseRoot(1));
      model.step();
    }
    flushDatabase(databaseRoot(1));
    model.finish();
    expect(model.refused).toBeGreaterThan(2);
    expect(allocator.usedBytes()).toBe(0);
  });
});

/** Strings in the second database, until none of 512 bytes can be added: few, for the walk's sake. */
function fillArena(): void {
  const filler = databaseRoot(1);
  const value = new Uint8Array(1024 * 1024);
  let keys = 0;
  for (let bytes = value.length; bytes >= 512; bytes >>= 1) {
    for (; ; keys++) {
      const key = new Uint8Array(Buffer.from(`filler:${keys}`));
      if (!putString(filler, key, 0, key.length, value, 0, bytes, EXPIRY_CLEAR)) break;
    }
  }
}

test('each field is as likely as the others to be drawn', () => {
  for (const [entriesMax, fields] of [
    [512, 10],
    [0, 10],
    [0, 1000],
  ] as const) {
    flushHeap();
    runtime.config.hashMaxListpackEntries = entriesMax;
    runtime.config.hashMaxListpackValue = 64;
    for (let i = 0; i < fields; i++) call('HSET', 'h', `f${i}`, i);
    for (const [command, drawn] of [
      [['HRANDFIELD', 'h'], 1],
      [['HRANDFIELD', 'h', -5], 5],
      [['HRANDFIELD', 'h', 3], 3],
      [['HRANDFIELD', 'h', Math.ceil(fields * 0.7)], Math.ceil(fields * 0.7)],
    ] as const) {
      const counts = new Map<string, number>();
      const rounds = Math.ceil((fields * 200) / drawn);
      for (let i = 0; i < rounds; i++) {
        const reply = call(...command);
        const names = Array.isArray(reply) ? (reply as string[]) : [reply as string];
        expect(names.length).toBe(drawn);
        for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
      }
      const expected = (rounds * drawn) / fields;
      let chi = 0;
      for (let i = 0; i < fields; i++) {
        chi += ((counts.get(`f${i}`) ?? 0) - expected) ** 2 / expected;
      }
      // Mean and spread of the chi-square distribution; six sigma, so that it fails once in a lifetime.
      const freedom = fields - 1;
      expect(chi).toBeLessThan(freedom + 6 * Math.sqrt(2 * freedom) + 12);
    }
  }
});

test('HSCAN returns what is there throughout, while the hash grows and shrinks', () => {
  flushHeap();
  runtime.config.hashMaxListpackEntries = 4;
  const random = new Random(SEED + 2);
  for (let round = 0; round < 12; round++) {
    call('DEL', 'h');
    const stays = round * 150 + 20;
    for (let i = 0; i < stays; i++) call('HSET', 'h', `stay${i}`, i);
    for (let i = 0; i < 4000; i++) call('HSET', 'h', `goes${i}`, i);
    const seen = new Set<string>();
    let cursor = '0';
    let grown = 0;
    let shrunk = 0;
    do {
      const [next, pairs] = call('HSCAN', 'h', cursor, 'COUNT', 20) as [string, string[]];
      for (let i = 0; i < pairs.length; i += 2) seen.add(pairs[i]!);
      cursor = next;
      const isGrowing = random.chance(round / 12);
      for (let i = 0; i < 40; i++) {
        if (isGrowing && grown < 8000) call('HSET', 'h', `new${grown++}`, 1);
        else call('HDEL', 'h', `goes${shrunk++}`);
      }
    } while (cursor !== '0');
    for (let i = 0; i < stays; i++) expect(seen.has(`stay${i}`)).toBe(true);
  }
  verifyHeap();
});

test('100,000 fields that expire at once, and hashes with them', () => {
  flushHeap();
  setClock(START_MILLIS);
  for (let h = 0; h < 20; h++) {
    for (let i = 0; i < 5000; i += 50) {
      const names = Array.from({ length: 50 }, (_, j) => `f${i + j}`);
      call('HSET', `h${h}`, ...names.flatMap((name) => [name, 'v']));
      call('HPEXPIRE', `h${h}`, 1000, 'FIELDS', 50, ...names);
    }
    if (h % 2 === 0) call('HSET', `h${h}`, 'stays', 'v');
  }
  verifyHeap();
  setClock(START_MILLIS + 1001);
  expect(run('HLEN', 'h0').text).toBe('1');
  let deleted = 0;
  for (let step = 0; ; step++) {
    const done = deleteExpiredFields(database, 500);
    deleted += done;
    if (step % 20 === 0) verifyHeap();
    if (done === 0) break;
  }
  expect(deleted).toBe(20 * 5000 - 64);
  expect(keyCount(database)).toBe(10);
  expect(hashesExpiring(database)).toBe(0);
  expect(call('HGETALL', 'h2')).toEqual(['stays', 'v']);
  verifyHeap();
});

// HyperLogLog: the hash against 64-bit arithmetic, both representations against a plain array of registers,
// and estimates against the sets they are of.
import { expect, test } from 'vitest';
import { countRegisters, estimate, histogram } from '../../storage/values/hyperloglog/estimate.js';
import { hashMurmur, murmur } from '../../storage/values/hyperloglog/murmur.js';
import {
  cardinality,
  DENSE_BYTES,
  DENSE_ENCODING,
  denseRegister,
  isDense,
  isHyperLogLog,
  loadCardinality,
  mergeDense,
  observation,
  observe,
  REGISTERS,
  raiseDenseRegister,
  storeCardinality,
  writeHeader,
} from '../../storage/values/hyperloglog/registers.js';
import {
  CHANGED,
  countSparse,
  emptySketch,
  mergeSparse,
  raiseRegister,
  sketch,
  toDense,
  UNCHANGED,
} from '../../storage/values/hyperloglog/sparse.js';
import { numberFromEnv, Random } from '../support/random.js';

const SEED = numberFromEnv('HYPERLOGLOG_SEED', 20_281);

/** MurmurHash64A as it is published, with Redis's seed. */
function murmur64(bytes: Buffer): bigint {
  const m = 0xc6a4a7935bd1e995n;
  const times = (value: bigint): bigint => BigInt.asUintN(64, value * m);
  let h = 0xadc83b19n ^ times(BigInt(bytes.length));
  let at = 0;
  for (; at + 8 <= bytes.length; at += 8) {
    let k = times(bytes.readBigUInt64LE(at));
    k = times(k ^ (k >> 47n));
    h = times(h ^ k);
  }
  if (at < bytes.length) {
    const rest = Buffer.alloc(8);
    bytes.copy(rest, 0, at);
    h = times(h ^ rest.readBigUInt64LE(0));
  }
  h = times(h ^ (h >> 47n));
  return h ^ (h >> 47n);
}

test('the hash, for all lengths to 40 and some longer ones', () => {
  const random = new Random(SEED);
  for (let round = 0; round < 4000; round++) {
    const length = round % 50 === 0 ? random.below(5000) : round % 41;
    const bytes = random.bytes(length);
    const shifted = new Uint8Array(length + 3);
    shifted.set(bytes, 3);
    hashMurmur(shifted, 3, length);
    const hash = (BigInt(murmur.high >>> 0) << 32n) | BigInt(murmur.low >>> 0);
    expect(hash, `${length} bytes`).toBe(murmur64(bytes));
    observe(shifted, 3, length);
    expect(observation.index).toBe(Number(hash & 0x3fffn));
    const rest = ((hash >> 14n) | (1n << 50n)).toString(2);
    expect(observation.run).toBe(rest.length - rest.lastIndexOf('1'));
  }
});

/** A plain register array beside `sketch`. */
class Model {
  readonly registers = new Uint8Array(REGISTERS);

  constructor() {
    emptySketch();
  }

  raise(index: number, run: number, bytesMax: number): void {
    const expected = run > this.registers[index]! ? CHANGED : UNCHANGED;
    expect(raiseRegister(index, run, bytesMax)).toBe(expected);
    this.registers[index] = Math.max(run, this.registers[index]!);
  }

  verify(): void {
    const { bytes, length } = sketch;
    expect(isHyperLogLog(bytes, 0, length)).toBe(true);
    const found = new Uint8Array(REGISTERS);
    if (isDense(bytes, 0)) {
      expect(length).toBe(DENSE_BYTES);
      mergeDense(found, bytes, 0);
      const single = Uint8Array.from(found, (_, i) => denseRegister(bytes, 0, i));
      expect(Buffer.compare(found, single)).toBe(0);
    } else {
      expect(mergeSparse(found, bytes, 0, length)).toBe(true);
      expect(countSparse(bytes, 0, length)).toBe(true);
      const counted = histogram.slice();
      countRegisters(this.registers);
      expect(counted).toEqual(histogram);
    }
    expect(Buffer.compare(found, this.registers)).toBe(0);
  }
}

test.each([
  ['few neighbours', 40, 3, 100_000],
  ['all registers', REGISTERS, 3, 100_000],
  ['all values that are sparse', REGISTERS, 32, 100_000],
  ['a small bound', REGISTERS, 10, 200],
  ['values that only the dense form holds', 2000, 51, 100_000],
])('raising registers: %s', (_, indexes, runs, bytesMax) => {
  const random = new Random(SEED + indexes + runs);
  for (let round = 0; round < 6; round++) {
    const model = new Model();
    const first = random.below(REGISTERS - indexes + 1);
    for (let step = 0; step < 600; step++) {
      model.raise(first + random.below(indexes), random.between(1, runs), bytesMax);
      if (step % 40 === 0) model.verify();
      if (step === 500 && random.chance(0.3) && !isDense(sketch.bytes, 0)) toDense();
    }
    model.verify();
  }
});

test('the bound: dense only where the sparse form would be longer', () => {
  const model = new Model();
  for (let i = 0; !isDense(sketch.bytes, 0); i++) {
    expect(sketch.length).toBeLessThanOrEqual(3000);
    model.raise((i * 7919) % REGISTERS, (i % 20) + 1, 3000);
  }
  model.verify();
  expect([...model.registers].filter((run) => run > 0).length).toBeGreaterThan(900);
});

test('the cached cardinality holds 64 bits', () => {
  const bytes = new Uint8Array(20);
  cardinality.high = 0x7123_4567;
  cardinality.low = 0xfedc_ba98 | 0;
  storeCardinality(bytes, 4);
  cardinality.high = 0;
  expect(loadCardinality(bytes, 4)).toBe(true);
  expect([cardinality.high, cardinality.low]).toEqual([0x7123_4567, 0xfedc_ba98 | 0]);
});

test('estimates: the standard error is 0.81 %', () => {
  const element = Buffer.alloc(12);
  const bytes = new Uint8Array(element.buffer, element.byteOffset, element.length);
  for (const count of [1000, 10_000, 50_000, 100_000]) {
    const rounds = count > 10_000 ? 40 : 100;
    let squares = 0;
    let sum = 0;
    for (let round = 0; round < rounds; round++) {
      const dense = new Uint8Array(DENSE_BYTES);
      writeHeader(dense, 0, DENSE_ENCODING);
      element.writeInt32LE(SEED + round, 4);
      for (let i = 0; i < count; i++) {
        element.writeInt32LE(i);
        observe(bytes, 0, bytes.length);
        raiseDenseRegister(dense, 0, observation.index, observation.run);
      }
      const registers = new Uint8Array(REGISTERS);
      mergeDense(registers, dense, 0);
      countRegisters(registers);
      estimate();
      const error = cardinality.low / count - 1;
      sum += error;
      squares += error * error;
    }
    // The root of the mean square of so many rounds spreads by 1 / sqrt(2 rounds) of itself.
    const bound = 0.0081 * (1 + 3 / Math.sqrt(2 * rounds));
    expect(Math.sqrt(squares / rounds), `${count} elements`).toBeLessThan(bound);
    expect(Math.abs(sum / rounds), `bias at ${count}`).toBeLessThan(
      0.0081 * (3 / Math.sqrt(rounds)),
    );
  }
});

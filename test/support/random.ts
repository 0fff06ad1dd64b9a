// Seeded random numbers: a run is replayed by its seed. The generator is sfc32 (Chris Doty-Humphrey,
// PractRand), seeded through splitmix32; good enough to choose test inputs, nothing else.

export class Random {
  private a: number;
  private b: number;
  private c: number;
  private counter = 1;

  constructor(readonly seed: number) {
    let state = seed | 0;
    const splitmix = (): number => {
      state = (state + 0x9e3779b9) | 0;
      let z = state;
      z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
      z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
      return z ^ (z >>> 16);
    };
    this.a = splitmix();
    this.b = splitmix();
    this.c = splitmix();
    for (let round = 0; round < 12; round++) this.uint32();
  }

  /** The next 32 random bits as an unsigned number. */
  uint32(): number {
    const sum = (((this.a + this.b) | 0) + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = ((this.c << 21) | (this.c >>> 11)) + sum;
    this.c |= 0;
    return sum >>> 0;
  }

  /** 0 <= result < count. */
  below(count: number): number {
    return Math.floor((this.uint32() / 0x100000000) * count);
  }

  /** first <= result <= last. */
  between(first: number, last: number): number {
    return first + this.below(last - first + 1);
  }

  chance(probability: number): boolean {
    return this.uint32() < probability * 0x100000000;
  }

  pick<T>(choices: readonly T[]): T {
    if (choices.length === 0) throw new Error('pick from nothing');
    return choices[this.below(choices.length)] as T;
  }

  shuffle<T>(items: T[]): T[] {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      const moved = items[i] as T;
      items[i] = items[j] as T;
      items[j] = moved;
    }
    return items;
  }

  bytes(length: number): Buffer {
    const result = Buffer.allocUnsafe(length);
    for (let i = 0; i < length; i++) result[i] = this.uint32() & 0xff;
    return result;
  }

  /** An independent stream, so that one more draw here does not change everything that follows. */
  fork(): Random {
    return new Random(this.uint32());
  }
}

/** A number from the environment, or the fallback. Throws when it is not a whole number. */
export function numberFromEnv(name: string, fallback: number): number {
  const text = process.env[name];
  if (text === undefined || text === '') return fallback;
  const value = Number(text);
  if (!Number.isInteger(value)) throw new Error(`${name} must be a whole number, not '${text}'`);
  return value;
}

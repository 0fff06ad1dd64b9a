// Random numbers that a seed repeats.

/** A mix of 32 bits (Murmur's finalizer): numbers that look random, one for each index and seed. */
export function hash32(index: number, seed: number): number {
  let x = (index ^ Math.imul(seed, 0x9e3779b9)) >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

/** Numbers 0..count-1 in random order. */
export function shuffled(count: number, seed: number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const other = hash32(i, seed) % (i + 1);
    const kept = order[i] as number;
    order[i] = order[other] as number;
    order[other] = kept;
  }
  return order;
}

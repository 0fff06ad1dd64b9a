// Random numbers of the kernel (random(4)). Not of node:crypto, whose modules take 2 to 6 ms of every
// start; nothing else here needs them.
import { Buffer } from 'node:buffer';
import { closeSync, openSync, readSync } from 'node:fs';

const SOURCE = '/dev/urandom';

/** Random bytes, at most 256: the kernel gives so many at once. Throws the error of the file system. */
export function randomBytes(count: number): Buffer {
  const bytes = Buffer.alloc(count);
  const file = openSync(SOURCE, 'r');
  try {
    const found = readSync(file, bytes, 0, count, null);
    if (found !== count) throw new Error(`${SOURCE}: expected ${count} bytes, found ${found}`);
    return bytes;
  } finally {
    closeSync(file);
  }
}

/** 32 random bits, for the seeds of databases. */
export function randomWord(): number {
  return randomBytes(4).readUInt32LE(0);
}

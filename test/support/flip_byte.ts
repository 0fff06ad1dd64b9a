// Damage for tests: one byte of a file that is not what was written.
import { closeSync, openSync, readSync, writeSync } from 'node:fs';

/** Changes bits of one byte of a file, in place. */
export function flipByte(path: string, offset: number, bits = 0x40): void {
  const file = openSync(path, 'r+');
  const byte = Buffer.alloc(1);
  readSync(file, byte, 0, 1, offset);
  byte[0]! ^= bits;
  writeSync(file, byte, 0, 1, offset);
  closeSync(file);
}

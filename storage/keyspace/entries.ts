// Keys as a whole: their entry together with what its body owns, whatever the type.
import type { Ref } from '../memory/layout.js';
import { freeShell, shellMemory } from '../structures/entries.js';
import { freeValue, valueTypeOf } from '../values/value_types.js';

/** Bytes of the arena that a key takes in all, slots counted whole: MEMORY USAGE. */
export function entryMemory(ref: Ref): number {
  return shellMemory(ref) + valueTypeOf(ref).memoryBytes(ref);
}

/** Frees an entry, its long key and its value. A large value is freed in steps (values/retired.ts). */
export function freeEntry(ref: Ref): void {
  freeValue(ref);
  freeShell(ref);
}

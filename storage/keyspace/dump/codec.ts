// What DUMP and RESTORE ask of a type, and what a restored value needs that storage does not know.
import { NULL_REF, type Ref } from '../../memory/layout.js';
import type { FormatInteger } from '../../values/set.js';
import { freeEntry } from '../entries.js';
import type { PayloadReader, PayloadWriter } from './payload.js';

export interface Codec {
  /** Writes the contents of a value. */
  write(ref: Ref, to: PayloadWriter): void;
  /**
   * A new entry for the key, in no database, with the value that the contents are. NULL_REF: the contents
   * are no value (`from.isBad` is set), or the arena is full; nothing is left behind.
   */
  read(key: RestoredKey, from: PayloadReader, rules: RestoreRules): Ref;
}

/** The key of a value that is restored: bytes[offset, offset + length). */
export interface RestoredKey {
  readonly bytes: Uint8Array;
  readonly offset: number;
  readonly length: number;
}

/** How numbers are written, which storage does not know, and a limit of the caller's. */
export interface RestoreRules {
  /** Whether bytes are the text of an int64, as it is written; fills `integer` (values/string.ts). */
  parseInteger(bytes: Uint8Array, offset: number, length: number): boolean;
  readonly formatInteger: FormatInteger;
  /** The most members of a set in the form of integers. */
  readonly integersMax: number;
}

/**
 * Ends the reading of a collection into `ref`. `isDone`: false when the arena was full; `count`: how many
 * elements the contents promised, `found`: how many the collection has.
 */
export function finished(
  ref: Ref,
  from: PayloadReader,
  isDone: boolean,
  count: number,
  found: number,
): Ref {
  if (isDone && (count === 0 || found !== count)) from.isBad = true;
  if (isDone && !from.isBad) return ref;
  freeEntry(ref);
  return NULL_REF;
}

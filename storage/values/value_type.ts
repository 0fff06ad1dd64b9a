// What the keyspace asks of a value, whatever its type.
import type { Ref } from '../memory/layout.js';
import type { Owners } from '../structures/entries.js';

export interface ValueType {
  /** Frees what the entry's body owns. */
  free(ref: Ref): void;
  /** Gives `target`, a bytewise clone of an entry, its own copy of what the body owns. False: OOM,
   *  with nothing owned by the clone. */
  duplicate(target: Ref): boolean;
  /** Reports every object that the body owns to the heap walk; throws on an inconsistency. */
  verify(ref: Ref, owners: Owners): void;
  /** Bytes that the body owns outside the entry. */
  memoryBytes(ref: Ref): number;
  /**
   * Moves what the entry's body owns out of extents that are being emptied: relocateObject() for each
   * object, relocateTable() for a table of elements (structures/relocation.ts). Does a piece of the
   * work from `cursor` on, 0 at first, and ends when work.left is used up. Returns the next cursor, which
   * is the type's own; 0 when all is done. The value may change between two pieces: a cursor that does
   * not hold any more must do no harm. A type without this is not moved, only its entries are.
   */
  relocate?(ref: Ref, cursor: number): number;
}

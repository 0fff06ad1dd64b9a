// The order in which a B+tree puts nodes of a stream whose first entries share a millisecond: by the
// sequence numbers of these. The third word of an item is then the Ref of a node, and a node begins with the id
// of its first entry (values/stream/node_format.ts draws the rest):
//
//   | ms: high | low | sequence: high | low |      unsigned 64-bit numbers
//
// In the item that a tree is asked for, the third word may also be one of two Refs into the root page, where
// no node lies: SEQUENCE_PROBE stands for the number that setSequenceProbe() was given, and
// AFTER_SEQUENCE_PROBE for the place behind a node that begins with it.
import { wordWindows } from '../memory/arena.js';
import { type Ref, WINDOW_MASK, WINDOW_SHIFT } from '../memory/layout.js';

export const SEQUENCE_PROBE = 2;
export const AFTER_SEQUENCE_PROBE = 3;

/** Words of a node where the sequence number of its first entry stands. */
const SEQUENCE_HIGH_WORD = 2;
const SEQUENCE_LOW_WORD = 3;

const windows = wordWindows; // a constant of this module, which compiled code need not load

let probeHigh = 0;
let probeLow = 0;

/** The sequence number that SEQUENCE_PROBE and AFTER_SEQUENCE_PROBE stand for. */
export function setSequenceProbe(high: number, low: number): void {
  probeHigh = high;
  probeLow = low;
}

/** Order of node `a` against node `b`, or what `b` stands for: negative, 0 or positive. */
export function compareSequences(a: Ref, b: number): number {
  const words = windows[a >>> WINDOW_SHIFT]!;
  const at = (a & WINDOW_MASK) << 2;
  const high = words[at + SEQUENCE_HIGH_WORD]!;
  const low = words[at + SEQUENCE_LOW_WORD]!;
  if (b >>> 2 === 0) {
    const order = compareUnsigned(high, low, probeHigh, probeLow);
    return order === 0 && b === AFTER_SEQUENCE_PROBE ? -1 : order;
  }
  const others = windows[b >>> WINDOW_SHIFT]!;
  const other = (b & WINDOW_MASK) << 2;
  return compareUnsigned(
    high,
    low,
    others[other + SEQUENCE_HIGH_WORD]!,
    others[other + SEQUENCE_LOW_WORD]!,
  );
}

/** Order of two unsigned 64-bit numbers: -1, 0 or 1. */
export function compareUnsigned(aHigh: number, aLow: number, bHigh: number, bLow: number): number {
  if (aHigh !== bHigh) return aHigh >>> 0 < bHigh >>> 0 ? -1 : 1;
  if (aLow !== bLow) return aLow >>> 0 < bLow >>> 0 ? -1 : 1;
  return 0;
}

// The key specifications that most commands share.
import type { KeySpec } from './command.js';

/** Key `first` alone, or from `first` to `last` (negative: from the end) in steps. */
export function keyRange(
  flags: readonly string[],
  first: number,
  last = 0,
  step = 1,
): readonly KeySpec[] {
  return [{ flags, begin: { index: first }, find: { lastKey: last, keyStep: step, limit: 0 } }];
}

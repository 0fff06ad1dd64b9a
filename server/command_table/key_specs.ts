// The key specifications that most commands share.
import { args } from '../../protocol/arguments.js';
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

/** As many keys as argument `index` says, from the next one on. */
export function countedKeys(flags: readonly string[], index: number): readonly KeySpec[] {
  return [{ flags, begin: { index }, find: { keyNumIndex: 0, firstKey: 1, keyStep: 1 } }];
}

/** The first half of what follows STREAMS, which is looked for from argument `startFrom` on. */
export function streamKeys(startFrom: number): readonly KeySpec[] {
  return [
    {
      flags: ['RO', 'access'],
      begin: { keyword: 'STREAMS', startFrom },
      find: { lastKey: -1, keyStep: 1, limit: 2 },
    },
  ];
}

/** SET's key in the request that starts at argument `first`: with GET it is read too. */
export function setKeyFlags(first: number): readonly string[] {
  for (let i = first + 3; i < args.count; i++) {
    if (args.equals(i, 'get')) return ['RW', 'access', 'update'];
  }
  return ['OW', 'update'];
}

/** BITFIELD's key in the request that starts at argument `first`: GET alone only reads. */
export function bitfieldKeyFlags(first: number): readonly string[] {
  for (let i = first + 2; i < args.count; i++) {
    const operands = args.count - 1 - i;
    if (args.equals(i, 'get') && operands >= 2) i += 2;
    else if (args.equals(i, 'overflow') && operands >= 1) i += 1;
    else return ['RW', 'access', 'update'];
  }
  return ['RO', 'access'];
}

/** SORT's destination in the request that starts at argument `first`: the last one named; -1: none. */
export function sortDestination(first: number): number {
  let destination = -1;
  for (let i = first + 2; i < args.count; i++) {
    if (args.equals(i, 'limit')) i += 2;
    else if (args.equals(i, 'get') || args.equals(i, 'by')) i++;
    else if (args.equals(i, 'store') && i + 1 < args.count) destination = ++i;
  }
  return destination;
}

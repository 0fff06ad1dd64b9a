// The heap of a checkpoint file that is the arena (arena_options.ts), proved sound and compared with
// what its manifest says. Reads only.
import { attachHeapReadOnly, databaseCount, epoch } from '../heap.js';
import { describeExtents } from '../memory/extents.js';
import { databaseRoot } from '../memory/layout.js';
import { tableCount } from '../structures/hash_table.js';
import type { Manifest } from './snapshot_format.js';
import { type VerifyReport, verifyHeap } from './verify.js';

/**
 * Takes the mapped heap over and walks all of it. `onProgress` gets the keys seen so far. Throws an
 * Error that says what is wrong at the first inconsistency.
 */
export function verifyMappedHeap(
  manifest: Manifest,
  onProgress: (keys: number) => void,
): VerifyReport {
  attachHeapReadOnly();
  expectEqual('checkpoint number in the root page', manifest.epoch, epoch());
  expectEqual('databases in the root page', manifest.keys.length, databaseCount());
  manifest.keys.forEach((keys, i) => {
    expectEqual(`keys in database ${i}`, keys, tableCount(databaseRoot(i)));
  });
  compareExtents(manifest.extents, describeExtents());
  const report = verifyHeap(onProgress);
  expectEqual('bytes in use', manifest.usedBytes, report.usedBytes);
  return report;
}

/** The manifest must hold exactly what the extent table says is in use. */
function compareExtents(inFile: Uint8Array, inTable: Uint8Array): void {
  expectEqual('extents', inTable.length, inFile.length);
  inTable.forEach((kind, extent) => {
    expectEqual(`kind of extent ${extent} in the manifest`, kind, inFile[extent]!);
  });
}

function expectEqual(what: string, expected: number, found: number): void {
  if (expected !== found) throw new Error(`${what}: expected ${expected}, found ${found}`);
}

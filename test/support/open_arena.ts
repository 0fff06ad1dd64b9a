// Opens the arena of a test file: sets its size, formats it, and only then may storage modules be
// imported (dynamically, since the arena opens when arena.ts loads). One arena a test file.
//
//   await openTestArena(64 * 1024 * 1024);
//   const { insert } = await import('../../storage/structures/btree.js');
import { arenaOptions } from '../../storage/memory/arena_options.js';

/** Opens and formats an arena of `bytes`, a multiple of 2 MiB. Returns the allocator. */
export async function openTestArena(
  bytes: number,
): Promise<typeof import('../../storage/memory/allocator.js')> {
  arenaOptions.bytes = bytes;
  const allocator = await import('../../storage/memory/allocator.js');
  allocator.attachAllocator();
  return allocator;
}

// Extents that are taken before the populate thread has touched them: the wait is measured, once. And what
// is kept of free memory.
import { beforeAll, expect, test } from 'vitest';
import { arenaOptions } from '../../storage/memory/arena_options.js';
import { NULL_REF, type Ref } from '../../storage/memory/layout.js';

let allocator: typeof import('../../storage/memory/allocator.js');
let extents: typeof import('../../storage/memory/extents.js');

beforeAll(async () => {
  arenaOptions.bytes = 128 * 1024 * 1024;
  allocator = await import('../../storage/memory/allocator.js');
  extents = await import('../../storage/memory/extents.js');
  allocator.attachAllocator();
});

test('the longest touch of fresh memory is told once', () => {
  expect(extents.takePopulateStall()).toBe(0);
  for (let i = 0; i < 100; i++) allocator.allocate(32 * 1024, extents.DATA);
  expect(extents.takePopulateStall()).toBeGreaterThan(0);
  expect(extents.takePopulateStall()).toBe(0);
});

test('an extent that was used before is not touched', () => {
  const size = 1024 * 1024;
  const refs: Ref[] = [];
  for (;;) {
    const ref = allocator.allocate(size, extents.DATA);
    if (ref === NULL_REF) break;
    refs.push(ref);
  }
  for (const ref of refs) allocator.free(ref, size, extents.DATA);
  extents.takePopulateStall();
  for (const _ of refs) expect(allocator.allocate(size, extents.DATA)).not.toBe(NULL_REF);
  expect(extents.takePopulateStall()).toBe(0);
});

test('of the memory that is free a share is kept, and at least what is populated ahead', () => {
  extents.releaseFreeExtents(1000); // the arena is full: whatever is free was used before
  expect(extents.freeExtentCount()).toBeLessThan(4);
  const size = 2 * 1024 * 1024;
  allocator.releaseEverything();
  const free = extents.freeExtentCount();
  expect(extents.releaseFreeExtents(7)).toBe(7);
  expect(extents.releaseFreeExtents(1000)).toBe(free - 7 - 4);
  expect(extents.releaseFreeExtents(1000)).toBe(0);
  expect(allocator.allocate(size, extents.DATA)).not.toBe(NULL_REF);
});

// Whole nodes of a list and what they own: freeing, splitting, copying, and their share in verify and
// MEMORY USAGE. The format is drawn in list_node_format.ts.
import { allocate, free, usableBytes } from '../memory/allocator.js';
import { byteWindows } from '../memory/arena.js';
import { copyBytes } from '../memory/bytes.js';
import { DATA } from '../memory/extents.js';
import { NULL_REF, type Ref, WINDOW_SHIFT } from '../memory/layout.js';
import type { Owners } from './entries.js';
import { span } from './entry.js';
import {
  bytesAt,
  bytesBefore,
  locateMixed,
  MIXED,
  NODE_BYTES_MAX,
  nodeCapacity,
  nodeCount,
  nodeHead,
  nodeLarge,
  nodeTail,
  nodeWidth,
  placeNode,
  readWord,
  setEnds,
  startOf,
  TAG_LARGE,
  usedInNode,
  writeWord,
} from './list_node_format.js';
import { relocateObject, work } from './relocation.js';

/** Work of looking at a descriptor, and at an element that has an object, as bytes: see relocation.ts. */
const NODE_COST = 16;
const LARGE_COST = 64;

/** Byte index in `view`, object and length of an element that forEachLarge() has found. */
type FoundLarge = (view: Uint8Array, at: number, ref: Ref, length: number) => void;

/** Calls back for each element in [from, to) of a MIXED node that has an object of its own. */
function forEachLarge(
  words: Int32Array,
  d: number,
  from: number,
  to: number,
  found: FoundLarge,
): void {
  const ref = words[d]!;
  const view = byteWindows[ref >>> WINDOW_SHIFT]!;
  const end = startOf(ref) + to;
  for (let at = startOf(ref) + from; at < end; at += bytesAt(view, at)) {
    if (view[at] !== TAG_LARGE) continue;
    found(view, at, readWord(view, at + 1) as Ref, readWord(view, at + 5) >>> 0);
  }
}

/** Frees the objects that the elements in [from, to) of a MIXED node own. Returns how many. */
export function freeElements(words: Int32Array, d: number, from: number, to: number): number {
  let freed = 0;
  forEachLarge(words, d, from, to, (_view, _at, ref, length) => {
    free(ref, length, DATA);
    freed++;
  });
  return freed;
}

/** Frees a node with all it owns; the descriptor is rubbish then. */
export function freeNode(words: Int32Array, d: number): void {
  if (words[d] === NULL_REF) return;
  if (nodeLarge(words, d) > 0) freeElements(words, d, nodeHead(words, d), nodeTail(words, d));
  free(words[d]! as Ref, nodeCapacity(words, d), DATA);
}

/**
 * Moves the elements from a position on (at `offset`; neither the first nor the end) to a new node whose
 * descriptor is at `target` of the same words. False when the arena is full; nothing has changed then.
 */
export function splitNode(
  words: Int32Array,
  d: number,
  target: number,
  position: number,
  offset: number,
): boolean {
  const tail = nodeTail(words, d);
  const moved = tail - offset;
  const size = usableBytes(Math.max(moved, 1));
  const ref = allocate(size, DATA);
  if (ref === NULL_REF) return false;
  const source = byteWindows[words[d]! >>> WINDOW_SHIFT]!;
  const view = byteWindows[ref >>> WINDOW_SHIFT]!;
  copyBytes(view, startOf(ref), source, startOf(words[d]!) + offset, moved);
  let large = 0;
  if (nodeLarge(words, d) > 0) forEachLarge(words, d, offset, tail, () => large++);
  words[target + 2] = nodeCount(words, d) - position;
  words[target + 3] = nodeWidth(words, d) | (large << 16);
  placeNode(words, target, ref, size, 0, moved);
  setEnds(words, d, nodeHead(words, d), offset);
  words[d + 2] = position | (nodeCapacity(words, d) << 16);
  words[d + 3] = words[d + 3]! - (large << 16);
  return true;
}

/**
 * Makes the node at `target`, a copy of another's descriptor, a node of its own with no free room. False
 * when the arena is full; the descriptor then owns nothing.
 */
export function duplicateNode(words: Int32Array, target: number): boolean {
  const source = words[target]!;
  const head = nodeHead(words, target);
  const used = usedInNode(words, target);
  const size = usableBytes(Math.max(used, 1));
  const ref = allocate(size, DATA);
  if (ref === NULL_REF) return false;
  const view = byteWindows[ref >>> WINDOW_SHIFT]!;
  const from = startOf(source) + head;
  copyBytes(view, startOf(ref), byteWindows[source >>> WINDOW_SHIFT]!, from, used);
  placeNode(words, target, ref, size, 0, used);
  return nodeLarge(words, target) === 0 || duplicateElements(words, target);
}

/** Gives a copied node its own copies of what its elements own. False: the node has been freed. */
function duplicateElements(words: Int32Array, d: number): boolean {
  let failedAt = -1;
  const head = nodeHead(words, d);
  const start = startOf(words[d]!);
  forEachLarge(words, d, head, nodeTail(words, d), (view, at, ref, length) => {
    if (failedAt >= 0) return;
    const copy = allocate(length, DATA);
    if (copy === NULL_REF) {
      failedAt = at - start;
      return;
    }
    const source = byteWindows[ref >>> WINDOW_SHIFT]!;
    copyBytes(byteWindows[copy >>> WINDOW_SHIFT]!, startOf(copy), source, startOf(ref), length);
    writeWord(view, at + 1, copy);
  });
  if (failedAt < 0) return true;
  freeElements(words, d, head, failedAt);
  free(words[d]! as Ref, nodeCapacity(words, d), DATA);
  return false;
}

/**
 * Moves a node, and the objects of its elements from number `position` on, out of extents that are being
 * emptied. Returns the element to go on with, behind at least one with an object, when the step's work is done;
 * else 0.
 */
export function relocateNode(words: Int32Array, d: number, position: number): number {
  work.left -= NODE_COST;
  const old = words[d]! as Ref;
  const ref = relocateObject(old, nodeCapacity(words, d), nodeTail(words, d));
  if (ref !== old) words[d] = ref;
  if (nodeLarge(words, d) === 0) return 0;
  const view = byteWindows[ref >>> WINDOW_SHIFT]!;
  const end = startOf(ref) + nodeTail(words, d);
  let at = startOf(ref) + nodeHead(words, d);
  for (let i = 0; at < end; i++, at += bytesAt(view, at)) {
    if (i < position || view[at] !== TAG_LARGE) continue;
    if (work.left <= 0 && i > position) return i;
    work.left -= LARGE_COST;
    const large = readWord(view, at + 1) as Ref;
    const length = readWord(view, at + 5) >>> 0;
    const target = relocateObject(large, length, length);
    if (target !== large) writeWord(view, at + 1, target);
  }
  return 0;
}

/** Bytes of the allocator's that a node takes. */
export function nodeMemory(words: Int32Array, d: number): number {
  let bytes = usableBytes(nodeCapacity(words, d));
  if (nodeLarge(words, d) === 0) return bytes;
  forEachLarge(words, d, nodeHead(words, d), nodeTail(words, d), (_view, _at, _ref, length) => {
    bytes += usableBytes(length);
  });
  return bytes;
}

/** Reports what a node owns; throws when its fields do not fit together. */
export function verifyNode(words: Int32Array, d: number, owners: Owners): void {
  const ref = words[d]! as Ref;
  const head = nodeHead(words, d);
  const tail = nodeTail(words, d);
  const capacity = nodeCapacity(words, d);
  const count = nodeCount(words, d);
  const fail = (what: string): never => {
    throw new Error(`list node ${ref >>> 0}: ${what}`);
  };
  if (ref === NULL_REF || count === 0) fail('is empty');
  if (head > tail || tail > capacity || capacity > NODE_BYTES_MAX) {
    fail(`elements in ${head}..${tail} of ${capacity} bytes`);
  }
  owners.ownsData(ref, capacity);
  const width = nodeWidth(words, d);
  if (width !== MIXED) {
    if (count * width !== tail - head)
      fail(`${count} elements of ${width} in ${tail - head} bytes`);
    return;
  }
  const view = byteWindows[ref >>> WINDOW_SHIFT]!;
  const end = startOf(ref) + tail;
  let elements = 0;
  let large = 0;
  for (let at = startOf(ref) + head; at < end; elements++) {
    const bytes = locateMixed(view, at);
    if (bytesBefore(view, at + bytes) !== bytes) fail(`lengths of element ${elements} differ`);
    if (view[at] === TAG_LARGE) {
      large++;
      owners.ownsData(readWord(view, at + 1) as Ref, span.length);
    }
    at += bytes;
    if (at > end) fail('the last element goes beyond the end');
  }
  if (elements !== count) fail(`${elements} elements, the descriptor says ${count}`);
  if (large !== nodeLarge(words, d)) fail(`${large} large elements of ${nodeLarge(words, d)}`);
}

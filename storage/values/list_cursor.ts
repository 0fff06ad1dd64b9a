// Positions in a list: going to an element by its index, walking in either direction, searching. One
// register, `cursor`, on the list in hand (openList); a change of the list leaves it as list.ts says.
//
// Costs: whole nodes are passed over by their counts, from the nearer end; a search does not look at nodes
// of a width that is not that of the bytes it looks for.
import { byteWindows } from '../memory/arena.js';
import { type Ref, WINDOW_SHIFT } from '../memory/layout.js';
import { span } from '../structures/entry.js';
import { elementCount, list, openList } from '../structures/list_directory.js';
import {
  DESCRIPTOR_WORDS,
  locateAt,
  MIXED,
  nodeCount,
  nodeHead,
  nodeTail,
  nodeWidth,
  offsetBefore,
  offsetOf,
  startOf,
} from '../structures/list_node_format.js';

export const cursor = {
  /** The element's index in the list. */
  index: 0,
  /** The node, 0..list.nodes, and its descriptor; list.nodes: behind the last element. */
  node: 0,
  descriptor: 0,
  /** The element in the node, 0..count, and where it begins. */
  position: 0,
  offset: 0,
  /** Bytes that it takes in the node: known after locate(). */
  bytes: 0,
};

/** Goes to an element of an entry's list. False: there is none of that index. */
export function seek(entry: Ref, index: number): boolean {
  openList(entry);
  const count = elementCount();
  if (index < 0 || index >= count) return false;
  const { words, first } = list;
  let node = 0;
  let position = index;
  if (index <= count >>> 1) {
    let d = first;
    for (let here = nodeCount(words, d); position >= here; here = nodeCount(words, d)) {
      position -= here;
      d += DESCRIPTOR_WORDS;
      node++;
    }
  } else {
    node = list.nodes - 1;
    position = index - count; // below zero: from the end of the node
    let d = first + node * DESCRIPTOR_WORDS;
    for (;;) {
      position += nodeCount(words, d);
      if (position >= 0) break;
      d -= DESCRIPTOR_WORDS;
      node--;
    }
  }
  cursor.index = index;
  enter(node);
  cursor.position = position;
  cursor.offset = offsetOf(words, cursor.descriptor, position);
  return true;
}

/** Puts the cursor on the first element of a node; of list.nodes: behind the end of the list. */
export function enter(node: number): void {
  cursor.node = node;
  cursor.descriptor = list.first + node * DESCRIPTOR_WORDS;
  cursor.position = 0;
  cursor.offset = node < list.nodes ? nodeHead(list.words, cursor.descriptor) : 0;
}

/** Fills `span` with the element. Precondition: there is one. */
export function locate(): void {
  cursor.bytes = locateAt(list.words, cursor.descriptor, cursor.offset);
}

/** Goes to the next element after locate(). False: there is none, and the cursor is behind the last. */
export function advance(): boolean {
  cursor.index++;
  cursor.position++;
  cursor.offset += cursor.bytes;
  if (cursor.position < nodeCount(list.words, cursor.descriptor)) return true;
  enter(cursor.node + 1);
  return cursor.node < list.nodes;
}

/** Goes to the element before. False: there is none. */
export function retreat(): boolean {
  cursor.index--;
  if (cursor.position === 0) {
    if (cursor.node === 0) return false;
    cursor.node--;
    cursor.descriptor -= DESCRIPTOR_WORDS;
    cursor.position = nodeCount(list.words, cursor.descriptor);
    cursor.offset = nodeTail(list.words, cursor.descriptor);
  }
  cursor.position--;
  cursor.offset = offsetBefore(list.words, cursor.descriptor, cursor.offset);
  return true;
}

/**
 * Goes on, from the element under the cursor, to the next one that equals bytes[start, start + length), or
 * with `backwards` to the one before. False: there is none.
 */
export function find(
  backwards: boolean,
  bytes: Uint8Array,
  start: number,
  length: number,
): boolean {
  if (cursor.node >= list.nodes || cursor.index < 0) return false;
  for (;;) {
    const width = nodeWidth(list.words, cursor.descriptor);
    if (width !== MIXED && width !== length) {
      if (!(backwards ? leaveBackwards() : leave())) return false;
      continue;
    }
    locate();
    if (span.length === length && equals(span.view, span.offset, bytes, start, length)) return true;
    if (!(backwards ? retreat() : advance())) return false;
  }
}

function equals(
  view: Uint8Array,
  at: number,
  bytes: Uint8Array,
  start: number,
  length: number,
): boolean {
  for (let i = 0; i < length; i++) {
    if (view[at + i] !== bytes[start + i]) return false;
  }
  return true;
}

/** Goes to the first element of the next node. */
function leave(): boolean {
  cursor.index += nodeCount(list.words, cursor.descriptor) - cursor.position;
  enter(cursor.node + 1);
  return cursor.node < list.nodes;
}

/** Goes to the last element of the node before. */
function leaveBackwards(): boolean {
  cursor.index -= cursor.position;
  cursor.position = 0;
  return retreat();
}

/** The window that the node under the cursor lies in, and where its elements begin there. */
export const run = { view: byteWindows[0]!, offset: 0, width: 0, count: 0 };

/**
 * Fills `run` with the elements from the cursor to the end of its node, when they are of one width, and
 * returns true: they lie side by side. The cursor does not move.
 */
export function locateRun(): boolean {
  const { words } = list;
  const d = cursor.descriptor;
  const width = nodeWidth(words, d);
  if (width === MIXED) return false;
  const ref = words[d]!;
  run.view = byteWindows[ref >>> WINDOW_SHIFT]!;
  run.offset = startOf(ref) + cursor.offset;
  run.width = width;
  run.count = nodeCount(words, d) - cursor.position;
  return true;
}

/** Passes over elements that `run` told of. */
export function passRun(elements: number): boolean {
  cursor.index += elements;
  cursor.position += elements;
  cursor.offset += elements * run.width;
  if (cursor.position < nodeCount(list.words, cursor.descriptor)) return true;
  enter(cursor.node + 1);
  return cursor.node < list.nodes;
}

// Taking a B+tree (btree.ts) apart item by item, for trees whose items own something: what an item refers to is
// freed as the item goes, a few at a time between commands. Nothing else may use the tree any more.
//
// As btree.freeSome(): from the end on, and in between sizes and children of the nodes hold, but none of the other
// invariants. It may run while an insert into another tree waits for memory, so it has a path of its own.
import { free } from '../memory/allocator.js';
import { DENSE } from '../memory/extents.js';
import type { Ref } from '../memory/layout.js';
import { TREE_HEIGHT_WORD, TREE_ROOT_WORDS, TREE_TOP_WORD } from './btree.js';
import {
  childAt,
  HEIGHT_MAX,
  ITEM_WORD,
  ITEM_WORDS,
  NODE_BYTES,
  nodeBase,
  nodeSize,
  nodeWords,
} from './btree_node.js';

const path = new Int32Array(HEIGHT_MAX);

/** Removes the last item and returns its third word; 0, with all nodes freed, when there is none. */
export function takeLast(root: Ref, rootWord: number): number {
  const rootWords = nodeWords(root);
  const rootAt = nodeBase(root) + rootWord;
  const height = rootWords[rootAt + TREE_HEIGHT_WORD]!;
  if (height === 0) return 0;
  for (;;) {
    let level = height - 1;
    let node = rootWords[rootAt + TREE_TOP_WORD]! as Ref;
    for (; level > 0 && nodeSize(node) > 0; level--) {
      path[level] = node;
      node = childAt(node, nodeSize(node) - 1);
    }
    const last = nodeSize(node) - 1;
    if (last >= 0) {
      nodeWords(node)[nodeBase(node)] = last;
      return nodeWords(node)[nodeBase(node) + ITEM_WORD + last * ITEM_WORDS + 2]!;
    }
    free(node, NODE_BYTES, DENSE);
    if (level === height - 1) {
      for (let word = 0; word < TREE_ROOT_WORDS; word++) rootWords[rootAt + word] = 0;
      return 0;
    }
    const parent = path[level + 1]! as Ref;
    nodeWords(parent)[nodeBase(parent)] = nodeSize(parent) - 1;
  }
}

/** Shows the third words of the items that takeLast() has left. */
export function forEachLeft(root: Ref, rootWord: number, visit: (word: number) => void): void {
  const words = nodeWords(root);
  const at = nodeBase(root) + rootWord;
  const height = words[at + TREE_HEIGHT_WORD]!;
  if (height > 0) visitItems(words[at + TREE_TOP_WORD]! as Ref, height - 1, visit);
}

function visitItems(node: Ref, level: number, visit: (word: number) => void): void {
  const size = nodeSize(node);
  for (let i = 0; i < size; i++) {
    if (level > 0) visitItems(childAt(node, i), level - 1, visit);
    else visit(nodeWords(node)[nodeBase(node) + ITEM_WORD + i * ITEM_WORDS + 2]!);
  }
}

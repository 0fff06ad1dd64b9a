// Going over the entries of a stream between two ids, upwards or downwards. What was deleted is passed over.
//
//   startWalk(block, from, to, backward);
//   while (nextEntry()) {
//     ... scanId, scan.fields ...
//     openPairs();
//     for (let i = 0; i < scan.fields; i++) { nextPair(); ... pair.name, pair.value, pair.rest in scan.view ... }
//   }
//
// One walk at a time, and it ends when the stream changes: to read, change and go on, start again behind the
// last id. Upwards a node is read as the walk goes; downwards it is read to its end first, and where its entries
// lie is kept in a list.
import { NULL_REF, type Ref } from '../../memory/layout.js';
import { nodeAt, nodeIndexOf, tailOf, treeNodes } from './block.js';
import { bodyStart, nextInNode, openNode, reopenEntry, scan, scanId } from './node_format.js';
import {
  compareIds,
  copyId,
  ID_MAX,
  ID_MIN,
  ID_WORDS,
  loadId,
  StreamId,
  storeId,
} from './stream_id.js';

let walkedBlock = NULL_REF;
let isBackward = false;
/** The node that is read, and how many nodes there are. */
let nodeIndex = 0;
let nodes = 0;
const lowest = new StreamId();
const highest = new StreamId();

/** Of each entry of the node of a walk downwards: where it and its body begin, and its id. */
const PLACE_WORDS = 2 + ID_WORDS;
let places = new Int32Array(128 * PLACE_WORDS);
/** The place of the entry that the walk comes to next, counted from the node's first; -1 at its end. */
let place = -1;

/** Begins a walk over the entries from id `from` to id `to`, `from` being the lower one both ways. */
export function startWalk(block: Ref, from: StreamId, to: StreamId, backward: boolean): void {
  walkedBlock = block;
  isBackward = backward;
  copyId(lowest, from);
  copyId(highest, to);
  nodes = tailOf(block) === NULL_REF ? 0 : treeNodes(block) + 1;
  nodeIndex = Math.max(0, nodeIndexOf(block, backward ? to : from));
  if (nodes === 0) return;
  openNode(nodeAt(block, nodeIndex));
  if (backward) listPlaces();
}

/** Goes to the next entry: `scan`, `scanId` and nextPair() tell of it. False at the end. */
export function nextEntry(): boolean {
  if (nodes === 0) return false;
  return isBackward ? nextBelow() : nextAbove();
}

function nextAbove(): boolean {
  for (;;) {
    while (nextInNode()) {
      if (scan.isDeleted || compareIds(scanId, lowest) < 0) continue;
      return compareIds(scanId, highest) <= 0;
    }
    if (nodeIndex + 1 === nodes) return false;
    openNode(nodeAt(walkedBlock, ++nodeIndex));
  }
}

function nextBelow(): boolean {
  for (;;) {
    while (place >= 0) {
      const at = place-- * PLACE_WORDS;
      loadId(scanId, places, at + 2);
      reopenEntry(places[at]!, places[at + 1]!);
      if (scan.isDeleted || compareIds(scanId, highest) > 0) continue;
      return compareIds(scanId, lowest) >= 0;
    }
    if (nodeIndex === 0) return false;
    openNode(nodeAt(walkedBlock, --nodeIndex));
    listPlaces();
  }
}

/** Lists the entries of the node that was opened. */
function listPlaces(): void {
  let count = 0;
  for (; nextInNode(); count++) {
    const at = count * PLACE_WORDS;
    if (at === places.length) growPlaces();
    places[at] = scan.at;
    places[at + 1] = bodyStart;
    storeId(scanId, places, at + 2);
  }
  place = count - 1;
}

function growPlaces(): void {
  const larger = new Int32Array(2 * places.length);
  larger.set(places);
  places = larger;
}

// --- single entries ------------------------------------------------------------------------------

/** Goes to the entry with this id; false when there is none. `scan` and nextPair() tell of it. */
export function findEntry(block: Ref, id: StreamId): boolean {
  startWalk(block, id, id, false);
  return nextEntry();
}

/** Whether the stream has an entry with this id. */
export function hasEntry(block: Ref, id: StreamId): boolean {
  return findEntry(block, id);
}

/** Goes to the first entry; false when there is none. */
export function findFirst(block: Ref): boolean {
  startWalk(block, ID_MIN, ID_MAX, false);
  return nextEntry();
}

/** Goes to the last entry; false when there is none. */
export function findLast(block: Ref): boolean {
  startWalk(block, ID_MIN, ID_MAX, true);
  return nextEntry();
}

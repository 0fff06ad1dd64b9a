// Streams in payloads: what their root blocks say, and the entries (payload.ts). A stream may be empty.
import { NULL_REF, type Ref } from '../../memory/layout.js';
import * as block from '../../values/stream/block.js';
import { nextPair, openPairs, pair, scan, scanId } from '../../values/stream/node_format.js';
import type { Pairs } from '../../values/stream/nodes.js';
import { addEntry, createStream } from '../../values/stream/stream.js';
import { compareIds, ID_MAX, ID_MIN, StreamId } from '../../values/stream/stream_id.js';
import { nextEntry, startWalk } from '../../values/stream/walk.js';
import { freeEntry } from '../entries.js';
import type { Codec, RestoredKey } from './codec.js';
import type { PayloadReader, PayloadWriter } from './payload.js';
import { readGroups, writeGroups } from './stream_groups_codec.js';
import { readId, writeId } from './stream_ids.js';

const WITHOUT_GROUPS = 0;
const WITH_GROUPS = 1;
/** An id, the number of fields, and a field with its value. */
const ENTRY_BYTES_MIN = 16 + 1 + 2;
const PAIRS_MIN = 64;
/** More fields than a request has room for are no entry; tables of more than a request's share are given back. */
const FIELDS_MAX = 1 << 23;
const PAIRS_KEPT_MAX = 4096;

const id = new StreamId();
const last = new StreamId();
const previous = new StreamId();

function writeStream(ref: Ref, to: PayloadWriter): void {
  const root = block.streamBlock(ref);
  const hasGroups = block.groupsOf(root) !== NULL_REF;
  to.byte(hasGroups ? WITH_GROUPS : WITHOUT_GROUPS);
  block.loadLastId(root, id);
  writeId(to, id);
  block.loadDeletedId(root, id);
  writeId(to, id);
  block.loadEntriesAdded(root);
  to.int64(block.added.high, block.added.low);
  to.count(block.streamLength(root));
  startWalk(root, ID_MIN, ID_MAX, false);
  while (nextEntry()) {
    writeId(to, scanId);
    to.count(scan.fields);
    openPairs();
    for (let i = 0; i < scan.fields; i++) {
      nextPair();
      to.block(scan.view, pair.name, pair.nameLength);
      to.count(pair.valueLength + pair.restLength);
      to.raw(scan.view, pair.value, pair.valueLength);
      to.raw(scan.view, pair.rest, pair.restLength);
    }
  }
  if (hasGroups) writeGroups(root, to);
}

const pairs: Pairs = {
  bytes: new Uint8Array(0),
  offsets: new Int32Array(2 * PAIRS_MIN),
  lengths: new Int32Array(2 * PAIRS_MIN),
  first: 0,
  fields: 0,
};

function readStream(key: RestoredKey, from: PayloadReader): Ref {
  const ref = createStream(key.bytes, key.offset, key.length);
  if (ref === NULL_REF) return NULL_REF;
  const root = block.streamBlock(ref);
  const form = from.byte();
  if (form > WITH_GROUPS) from.isBad = true;
  readId(from, last);
  readId(from, id);
  block.storeDeletedId(root, id);
  from.int64();
  const { high, low } = from;
  let isDone = readEntries(root, from);
  if (isDone && form === WITH_GROUPS) isDone = readGroups(root, from);
  // Nothing may follow the last id, and more entries than were ever added cannot be there.
  block.loadLastId(root, id);
  if (compareIds(id, last) > 0) from.isBad = true;
  if (high < 0 || block.entriesAdded(root) > high * 4294967296 + (low >>> 0)) from.isBad = true;
  block.storeLastId(root, last);
  block.setEntriesAdded(root, high, low);
  pairs.bytes = new Uint8Array(0);
  if (pairs.offsets.length > 2 * PAIRS_KEPT_MAX) setRoom(PAIRS_MIN);
  if (isDone && !from.isBad) return ref;
  freeEntry(ref);
  return NULL_REF;
}

/** False: the arena is full. */
function readEntries(root: Ref, from: PayloadReader): boolean {
  const count = from.count(ENTRY_BYTES_MIN);
  for (let i = 0; i < count && !from.isBad; i++) {
    block.loadLastId(root, previous);
    readId(from, id);
    readPairs(from);
    if (compareIds(id, previous) <= 0) from.isBad = true;
    if (!from.isBad && !addEntry(root, id, pairs)) return false;
  }
  return true;
}

function setRoom(fields: number): void {
  pairs.offsets = new Int32Array(2 * fields);
  pairs.lengths = new Int32Array(2 * fields);
}

function readPairs(from: PayloadReader): void {
  const fields = from.count(2);
  if (fields === 0 || fields > FIELDS_MAX) from.isBad = true;
  if (from.isBad) return;
  if (fields > pairs.offsets.length / 2) setRoom(fields);
  pairs.bytes = from.bytes;
  pairs.fields = fields;
  for (let i = 0; i < 2 * fields && !from.isBad; i++) {
    from.block();
    pairs.offsets[i] = from.offset;
    pairs.lengths[i] = from.length;
  }
}

export const streamCodec: Codec = { write: writeStream, read: readStream };

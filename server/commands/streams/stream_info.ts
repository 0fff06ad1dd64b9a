// Handlers of XINFO: what a stream is made of.
import { args } from '../../../protocol/arguments.js';
import * as errors from '../../../protocol/error_replies.js';
import { int64, int64ToNumber } from '../../../protocol/number_text.js';
import { reply } from '../../../protocol/reply_writer.js';
import { NULL_REF, type Ref } from '../../../storage/memory/layout.js';
import {
  added,
  groupsOf,
  loadDeletedId,
  loadEntriesAdded,
  loadFirstId,
  loadLastId,
  nodeAt,
  nodeCount,
  streamBlock,
  streamLength,
} from '../../../storage/values/stream/block.js';
import { groupCount } from '../../../storage/values/stream/group.js';
import { nodeBase, nodeWords } from '../../../storage/values/stream/node_format.js';
import { ID_MAX, ID_MIN, ID_WORDS, StreamId } from '../../../storage/values/stream/stream_id.js';
import { findFirst, findLast } from '../../../storage/values/stream/walk.js';
import type { Client } from '../../client.js';
import { replyError } from '../../reply_error.js';
import { replyHelp } from '../arguments/help.js';
import { readInt64 } from '../arguments/integer_arguments.js';
import { readKey } from '../keys/keys_access.js';
import { replyGroups } from './group_info.js';
import { replyId } from './stream_ids.js';
import { expectStream, replyEntry, replyRange } from './stream_value.js';

/** Entries that FULL shows where no COUNT is given. */
const FULL_COUNT = 10;

const id = new StreamId();

/** XINFO STREAM key [FULL [COUNT count]] */
export function xinfoStream(client: Client): void {
  const ref = readKey(client, 2);
  if (ref === NULL_REF) {
    replyError(errors.NO_SUCH_KEY);
    return;
  }
  if (!expectStream(ref)) return;
  if (args.count === 3) {
    replySummary(streamBlock(ref));
    return;
  }
  const hasCount = args.count === 6;
  if (!args.equals(3, 'full') || (args.count !== 4 && !(hasCount && args.equals(4, 'count')))) {
    replyError(errors.unknownSubcommandOrArity('xinfo', args.latin1(1)));
    return;
  }
  let count = FULL_COUNT;
  if (hasCount) {
    if (!readInt64(5)) return;
    const given = int64ToNumber(int64.hi, int64.lo);
    count = given < 0 ? FULL_COUNT : given;
  }
  replyFull(streamBlock(ref), count);
}

function replySummary(block: Ref): void {
  reply.map(10);
  replyFacts(block);
  reply.bulkLatin1('groups');
  reply.integer(groupCount(groupsOf(block)));
  reply.bulkLatin1('first-entry');
  if (findFirst(block)) replyEntry();
  else reply.null();
  reply.bulkLatin1('last-entry');
  if (findLast(block)) replyEntry();
  else reply.null();
}

/** `count` 0: all entries. */
function replyFull(block: Ref, count: number): void {
  const most = count === 0 ? Number.POSITIVE_INFINITY : count;
  reply.map(9);
  replyFacts(block);
  reply.bulkLatin1('entries');
  replyRange(block, ID_MIN, ID_MAX, most, false);
  reply.bulkLatin1('groups');
  replyGroups(block, most);
}

function replyFacts(block: Ref): void {
  reply.bulkLatin1('length');
  reply.integer(streamLength(block));
  reply.bulkLatin1('radix-tree-keys');
  reply.integer(nodeCount(block));
  reply.bulkLatin1('radix-tree-nodes');
  reply.integer(radixTreeNodes(block));
  reply.bulkLatin1('last-generated-id');
  loadLastId(block, id);
  replyId(id);
  reply.bulkLatin1('max-deleted-entry-id');
  loadDeletedId(block, id);
  replyId(id);
  reply.bulkLatin1('entries-added');
  loadEntriesAdded(block);
  reply.integer64(added.high, added.low);
  reply.bulkLatin1('recorded-first-entry-id');
  loadFirstId(block, id);
  replyId(id);
}

/** XINFO HELP */
export function xinfoHelp(): void {
  replyHelp('XINFO', [
    ['CONSUMERS <key> <groupname>', 'The consumers of a group.'],
    ['GROUPS <key>', 'The consumer groups of a stream.'],
    ['STREAM <key> [FULL [COUNT <count>]', 'What a stream is made of.'],
  ]);
}

// --- Redis's radix tree --------------------------------------------------------------------------
// Redis keeps the nodes of a stream in a radix tree over the 16 bytes of their first ids, and tells how many
// nodes that tree has: one for each id, for each place where ids part, and for each run of bytes in between.

/** Nodes of a stream that are looked at before the rest is extrapolated. */
const RADIX_SAMPLE = 4096;
const KEY_BYTES = ID_WORDS * 4;

/** How many nodes Redis's radix tree would have. */
function radixTreeNodes(block: Ref): number {
  const keys = nodeCount(block);
  const sample = Math.min(keys, RADIX_SAMPLE);
  if (keys === 0) return 1;
  // Depths of the places on the way to the last key where ids part, the deepest last.
  const partings: number[] = [];
  let nodes = 0;
  let last = nodeAt(block, 0);
  for (let i = 1; i <= sample; i++) {
    const next = i < sample ? nodeAt(block, i) : NULL_REF;
    const common = next === NULL_REF ? -1 : commonBytes(last, next);
    let depth = KEY_BYTES;
    while (depth > common) {
      // The parting or key at `depth` is complete: it hangs below the one before, or below this new one.
      const above = Math.max(partings.at(-1) ?? -1, common);
      nodes += depth - above > 1 ? 2 : 1;
      depth = above;
      if (partings.at(-1) === above) partings.pop();
    }
    if (common >= 0) partings.push(common);
    last = next;
  }
  return Math.round((nodes / sample) * keys);
}

/** Bytes that the first ids of two nodes have in common from their beginning on. */
function commonBytes(a: Ref, b: Ref): number {
  const wordsA = nodeWords(a);
  const wordsB = nodeWords(b);
  for (let i = 0; i < ID_WORDS; i++) {
    const different = wordsA[nodeBase(a) + i]! ^ wordsB[nodeBase(b) + i]!;
    if (different !== 0) return 4 * i + (Math.clz32(different) >>> 3);
  }
  return KEY_BYTES;
}

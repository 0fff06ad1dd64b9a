// SSCAN. A set in a table is walked as the keyspace is (table_walk.ts); others are replied as a whole.
import { reply } from '../../../protocol/reply_writer.js';
import { NULL_REF, type Ref } from '../../../storage/memory/layout.js';
import { locateKey, span, TYPE_SET } from '../../../storage/structures/entry.js';
import { scanned, scanStep } from '../../../storage/structures/table_walk.js';
import { SetCursor, setTable } from '../../../storage/values/set.js';
import type { Client } from '../../client.js';
import {
  beginScanReply,
  matchesPattern,
  readCursor,
  readScanOptions,
  replyEmptyScan,
  scanOptions,
} from '../keys/iteration.js';
import { expectType, readKey } from '../keys/keys_access.js';
import { memberMatches, replyMember, takeFromCursor } from './set_value.js';

const members = new SetCursor();

/** SSCAN key cursor [MATCH pattern] [COUNT count] */
export function sscan(client: Client): void {
  const cursor = readCursor(2);
  if (cursor < 0) return;
  const ref = readKey(client, 1);
  if (ref === NULL_REF) {
    replyEmptyScan();
    return;
  }
  if (!expectType(ref, TYPE_SET) || !readScanOptions(3, false)) return;
  const table = setTable(ref);
  if (table === NULL_REF) scanSmall(ref);
  else scanTable(table, cursor);
}

function scanSmall(ref: Ref): void {
  const mark = beginScanReply(0);
  let count = 0;
  members.open(ref);
  while (members.next()) {
    takeFromCursor(members);
    if (!memberMatches()) continue;
    replyMember();
    count++;
  }
  reply.settle(mark, count);
}

function scanTable(table: Ref, cursor: number): void {
  const mark = beginScanReply(scanStep(table, cursor, scanOptions.count));
  const { refs } = scanned;
  let count = 0;
  for (let i = 0; i < scanned.count; i++) {
    locateKey(refs[i]! as Ref);
    const { view, offset, length } = span;
    if (!matchesPattern(view, offset, length)) continue;
    reply.bulk(view, offset, length);
    count++;
  }
  reply.settle(mark, count);
}

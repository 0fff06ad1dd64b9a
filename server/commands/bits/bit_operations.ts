// BITOP: strings combined bit by bit. The result is built in a new object of the arena, so that a
// source may be the target, and takes the target's place when it is complete.
import { args } from '../../../protocol/arguments.js';
import * as errors from '../../../protocol/error_replies.js';
import { reply } from '../../../protocol/reply_writer.js';
import { deleteKey, setEntry } from '../../../storage/keyspace/keyspace.js';
import { createBlankString } from '../../../storage/keyspace/string_keys.js';
import { copyBytes } from '../../../storage/memory/bytes.js';
import { NULL_REF } from '../../../storage/memory/layout.js';
import { span } from '../../../storage/structures/entry.js';
import type { Client } from '../../client.js';
import { keyChanged } from '../../effects.js';
import { replyError } from '../../reply_error.js';
import { expectString, lookupArgument, readKey, replyOutOfMemory } from '../keys/keys_access.js';
import { locateText, textLength } from '../strings/string_value.js';
import { AND, type BitOperation, combineBits, NOT, OR, XOR } from './bit_words.js';

const TARGET = 2;
const FIRST_SOURCE = 3;

/** BITOP AND | OR | XOR | NOT destkey key [key ...] */
export function bitOperation(client: Client): void {
  const operation = readOperation();
  if (operation === null) return;
  const length = longestSource(client);
  if (length < 0) return;
  const { buffer } = args;
  const keyStart = args.offsets[TARGET]!;
  const keyLength = args.lengths[TARGET]!;
  if (length === 0) {
    const deleted = deleteKey(client.database, buffer, keyStart, keyLength);
    if (deleted) keyChanged(client.databaseIndex, TARGET);
    reply.integer(0);
    return;
  }
  const result = createBlankString(buffer, keyStart, keyLength, length);
  if (result === NULL_REF) {
    replyOutOfMemory();
    return;
  }
  const { view, offset } = span;
  combineSources(client, operation, view, offset, length);
  if (!setEntry(client.database, result)) {
    replyOutOfMemory();
    return;
  }
  keyChanged(client.databaseIndex, TARGET);
  reply.integer(length);
}

function readOperation(): BitOperation | null {
  if (args.equals(1, 'and')) return AND;
  if (args.equals(1, 'or')) return OR;
  if (args.equals(1, 'xor')) return XOR;
  if (!args.equals(1, 'not')) {
    replyError(errors.SYNTAX_ERROR);
    return null;
  }
  if (args.count === FIRST_SOURCE + 1) return NOT;
  replyError(errors.BITOP_NOT_SOURCES);
  return null;
}

/** Bytes of the longest source; -1: one is not a string, as was replied. */
function longestSource(client: Client): number {
  let length = 0;
  for (let i = FIRST_SOURCE; i < args.count; i++) {
    const ref = readKey(client, i);
    if (ref === NULL_REF) continue;
    if (!expectString(ref)) return -1;
    length = Math.max(length, textLength(ref));
  }
  return length;
}

/** Combines all sources into view[offset, offset + length), which is zero. */
function combineSources(
  client: Client,
  operation: BitOperation,
  view: Uint8Array,
  offset: number,
  length: number,
): void {
  for (let i = FIRST_SOURCE; i < args.count; i++) {
    const ref = lookupArgument(client.database, i);
    if (ref === NULL_REF) span.length = 0;
    else locateText(ref);
    const sourceLength = span.length;
    if (i === FIRST_SOURCE && operation !== NOT) {
      copyBytes(view, offset, span.view, span.offset, sourceLength);
      continue;
    }
    combineBits(operation, view, offset, span.view, span.offset, sourceLength);
    if (operation === AND) view.fill(0, offset + sourceLength, offset + length);
  }
}

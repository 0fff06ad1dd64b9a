// Handlers of the commands that combine sorted sets (and sets, scored_source.ts): ZUNION, ZINTER, ZDIFF, their STORE forms, ZINTERCARD.
//
// A result is built as a sorted set of its own in the arena, whether it is stored or replied: it takes
// the memory there that it needs, and is ordered as it grows. Without room for it nothing changes.
import { args } from '../../../protocol/arguments.js';
import * as errors from '../../../protocol/error_replies.js';
import { int64, int64ToNumber } from '../../../protocol/number_text.js';
import { reply } from '../../../protocol/reply_writer.js';
import { NULL_REF, type Ref } from '../../../storage/memory/layout.js';
import {
  cardinality,
  createSortedSet,
  freeSortedSet,
  located,
  locateMember,
  putMember,
} from '../../../storage/values/sorted_set.js';
import type { Client } from '../../client.js';
import { replyError } from '../../reply_error.js';
import { readInt64 } from '../arguments/integer_arguments.js';
import { lookupArgument, readKey, replyOutOfMemory } from '../keys/keys_access.js';
import { readScore } from './score_arguments.js';
import {
  expectSource,
  findScore,
  nextScored,
  scored,
  sourceSize,
  startSource,
} from './scored_source.js';
import { useSortedSetLimits } from './sorted_set_limits.js';
import { readCount } from './sorted_set_pops.js';
import { replyMembers, storeResult } from './sorted_set_ranges.js';

type Operation = 'union' | 'inter' | 'diff';
type Aggregate = 'sum' | 'min' | 'max';

/** A sorted set or set of the request, or NULL_REF for one that is not there, and what its scores count. */
interface Source {
  readonly ref: Ref;
  weight: number;
}

interface Request {
  readonly sources: Source[];
  aggregate: Aggregate;
  withScores: boolean;
  /** ZINTERCARD: where counting ends; 0: nowhere. */
  limit: number;
}

/** Which options a form of the command has. */
type Form = 'reply' | 'store' | 'count';

/** ZUNION numkeys key [key ...] [WEIGHTS weight ...] [AGGREGATE SUM | MIN | MAX] [WITHSCORES] */
export function zunion(client: Client): void {
  replyCombined(client, 'union', 'zunion');
}

/** ZINTER numkeys key [key ...] [WEIGHTS weight ...] [AGGREGATE SUM | MIN | MAX] [WITHSCORES] */
export function zinter(client: Client): void {
  replyCombined(client, 'inter', 'zinter');
}

/** ZDIFF numkeys key [key ...] [WITHSCORES] */
export function zdiff(client: Client): void {
  replyCombined(client, 'diff', 'zdiff');
}

/** ZUNIONSTORE destination numkeys key [key ...] [WEIGHTS weight ...] [AGGREGATE SUM | MIN | MAX] */
export function zunionstore(client: Client): void {
  storeCombined(client, 'union', 'zunionstore');
}

/** ZINTERSTORE destination numkeys key [key ...] [WEIGHTS weight ...] [AGGREGATE SUM | MIN | MAX] */
export function zinterstore(client: Client): void {
  storeCombined(client, 'inter', 'zinterstore');
}

/** ZDIFFSTORE destination numkeys key [key ...] */
export function zdiffstore(client: Client): void {
  storeCombined(client, 'diff', 'zdiffstore');
}

function replyCombined(client: Client, operation: Operation, command: string): void {
  const request = readRequest(client, 1, operation, 'reply', command);
  if (request === null) return;
  const result = combine(0, operation, request);
  if (result === NULL_REF) {
    replyOutOfMemory();
    return;
  }
  replyMembers(result, 0, cardinality(result), false, request.withScores);
  freeSortedSet(result);
}

function storeCombined(client: Client, operation: Operation, command: string): void {
  const request = readRequest(client, 2, operation, 'store', command);
  if (request === null) return;
  const result = combine(1, operation, request);
  if (result === NULL_REF) replyOutOfMemory();
  else storeResult(client, 1, result);
}

/** ZINTERCARD numkeys key [key ...] [LIMIT limit] */
export function zintercard(client: Client): void {
  const request = readRequest(client, 1, 'inter', 'count', 'zintercard');
  if (request === null) return;
  reply.integer(countCommon(bySize(request.sources), request.limit));
}

// --- the request ---------------------------------------------------------------------------------

/** Reads the request from its number of keys, argument i, on. Null: an error was replied. */
function readRequest(
  client: Client,
  i: number,
  operation: Operation,
  form: Form,
  command: string,
): Request | null {
  if (!readInt64(i)) return null;
  const keys = int64ToNumber(int64.hi, int64.lo);
  if (keys < 1) replyError(errors.noInputKeys(command));
  else if (keys > args.count - i - 1) replyError(errors.SYNTAX_ERROR);
  else {
    const sources = readSources(client, i + 1, keys);
    if (sources === null) return null;
    const request: Request = { sources, aggregate: 'sum', withScores: false, limit: 0 };
    return readOptions(request, i + 1 + keys, operation, form) ? request : null;
  }
  return null;
}

/** The sorted sets of `count` keys from argument `first` on. Null: an error was replied. */
function readSources(client: Client, first: number, count: number): Source[] | null {
  // A look-up may delete an expired key, which ends the life of Refs: all of them come first.
  for (let i = first; i < first + count; i++) {
    const ref = readKey(client, i);
    if (!expectSource(ref)) return null;
  }
  const sources: Source[] = [];
  for (let i = first; i < first + count; i++) {
    sources.push({ ref: lookupArgument(client.database, i), weight: 1 });
  }
  return sources;
}

function readOptions(request: Request, first: number, operation: Operation, form: Form): boolean {
  const aggregates = operation !== 'diff' && form !== 'count';
  const { sources } = request;
  for (let i = first; i < args.count; ) {
    const left = args.count - i;
    if (aggregates && left > sources.length && args.equals(i, 'weights')) {
      if (!readWeights(sources, i + 1)) return false;
      i += 1 + sources.length;
    } else if (aggregates && left >= 2 && args.equals(i, 'aggregate')) {
      const aggregate = readAggregate(i + 1);
      if (aggregate === null) return false;
      request.aggregate = aggregate;
      i += 2;
    } else if (form === 'reply' && args.equals(i, 'withscores')) {
      request.withScores = true;
      i++;
    } else if (form === 'count' && left >= 2 && args.equals(i, 'limit')) {
      request.limit = readCount(i + 1, 0, errors.LIMIT_NEGATIVE);
      if (request.limit < 0) return false;
      i += 2;
    } else {
      replyError(errors.SYNTAX_ERROR);
      return false;
    }
  }
  return true;
}

function readWeights(sources: readonly Source[], first: number): boolean {
  for (const [i, source] of sources.entries()) {
    source.weight = readScore(first + i, errors.WEIGHT_NOT_A_FLOAT);
    if (Number.isNaN(source.weight)) return false;
  }
  return true;
}

function readAggregate(i: number): Aggregate | null {
  for (const aggregate of ['sum', 'min', 'max'] as const) {
    if (args.equals(i, aggregate)) return aggregate;
  }
  replyError(errors.SYNTAX_ERROR);
  return null;
}

// --- combining -----------------------------------------------------------------------------------

/**
 * The combined sorted set, with argument `key` (0: the command's name) for its key; NULL_REF when the
 * arena is full.
 */
function combine(key: number, operation: Operation, request: Request): Ref {
  useSortedSetLimits(true);
  const result = createSortedSet(args.buffer, args.offsets[key]!, args.lengths[key]!);
  if (result === NULL_REF) return NULL_REF;
  if (fill(result, operation, request)) return result;
  freeSortedSet(result);
  return NULL_REF;
}

function fill(result: Ref, operation: Operation, { sources, aggregate }: Request): boolean {
  switch (operation) {
    case 'union':
      return bySize(sources).every((source) => addAll(result, source, aggregate));
    case 'inter':
      return addCommon(result, bySize(sources), aggregate);
    case 'diff':
      return addDifference(result, sources);
  }
}

/** The sources from the smallest to the largest, as Redis goes through them: sums may depend on it. */
function bySize(sources: readonly Source[]): Source[] {
  return sources.slice().sort((a, b) => sizeOf(a) - sizeOf(b));
}

function sizeOf({ ref }: Source): number {
  return sourceSize(ref);
}

/** Puts every member of a source into the result, its score combined with the one that is there. */
function addAll(result: Ref, source: Source, aggregate: Aggregate): boolean {
  if (source.ref === NULL_REF) return true;
  startSource(source.ref);
  while (nextScored()) {
    const { view, offset, length } = scored;
    const score = weighted(scored.score, source.weight);
    const exists = locateMember(result, view, offset, length);
    const before = located.score;
    const sum = exists ? aggregated(before, score, aggregate) : score;
    if (exists && Object.is(sum, before)) continue;
    if (!putMember(result, view, offset, length, sum)) return false;
  }
  return true;
}

/** Puts the members that all sources have into the result. The sources are ordered by size. */
function addCommon(result: Ref, sources: readonly Source[], aggregate: Aggregate): boolean {
  const [first, ...others] = sources as [Source, ...Source[]];
  if (sizeOf(first) === 0) return true;
  startSource(first.ref);
  while (nextScored()) {
    const { view, offset, length } = scored;
    let score = weighted(scored.score, first.weight);
    const isCommon = others.every(({ ref, weight }) => {
      const other = findScore(ref, view, offset, length);
      if (Number.isNaN(other)) return false;
      score = aggregated(score, other * weight, aggregate);
      return true;
    });
    if (!isCommon) continue;
    locateMember(result, view, offset, length);
    if (!putMember(result, view, offset, length, score)) return false;
  }
  return true;
}

/** How many members all sources, ordered by size, have; at most `limit` unless that is 0. */
function countCommon(sources: readonly Source[], limit: number): number {
  const [first, ...others] = sources as [Source, ...Source[]];
  if (sizeOf(first) === 0) return 0;
  let count = 0;
  startSource(first.ref);
  while (nextScored()) {
    const { view, offset, length } = scored;
    const isCommon = others.every(({ ref }) => !Number.isNaN(findScore(ref, view, offset, length)));
    if (!isCommon) continue;
    if (++count === limit) break;
  }
  return count;
}

/** Puts the members of the first source that no other has into the result. */
function addDifference(result: Ref, sources: readonly Source[]): boolean {
  const [first, ...others] = sources as [Source, ...Source[]];
  if (sizeOf(first) === 0) return true;
  startSource(first.ref);
  while (nextScored()) {
    const { view, offset, length, score } = scored;
    const isOther = others.some(({ ref }) => !Number.isNaN(findScore(ref, view, offset, length)));
    if (isOther) continue;
    locateMember(result, view, offset, length);
    if (!putMember(result, view, offset, length, score)) return false;
  }
  return true;
}

/** Infinity times 0 counts as 0. */
function weighted(score: number, weight: number): number {
  const product = score * weight;
  return Number.isNaN(product) ? 0 : product;
}

/** Two scores of a member as one; infinities that cancel each other out are 0. */
function aggregated(a: number, b: number, aggregate: Aggregate): number {
  if (aggregate === 'min') return b < a ? b : a;
  if (aggregate === 'max') return b > a ? b : a;
  const sum = a + b;
  return Number.isNaN(sum) ? 0 : sum;
}

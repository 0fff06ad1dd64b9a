// Handlers of the commands that search for places: GEOSEARCH, GEOSEARCHSTORE, GEORADIUS and its forms.
//
// The places near a point lie in at most nine cells of a grid, and a cell is a range of scores. What the
// ranges hold is measured one by one.
import { args } from '../../../protocol/arguments.js';
import * as errors from '../../../protocol/error_replies.js';
import {
  cellNumbers,
  cellStart,
  cellsAround,
  decodePlace,
  distanceInside,
  place,
  type Shape,
} from '../../../protocol/geohash.js';
import { int64, int64ToNumber } from '../../../protocol/number_text.js';
import { reply } from '../../../protocol/reply_writer.js';
import { NULL_REF, type Ref } from '../../../storage/memory/layout.js';
import {
  createSortedSet,
  freeSortedSet,
  locateMember,
  nextMember,
  putMember,
  ranksBelow,
  startWalk,
  walked,
  walkedScore,
} from '../../../storage/values/sorted_set.js';
import type { Client } from '../../client.js';
import { replyError } from '../../reply_error.js';
import { readInt64 } from '../arguments/integer_arguments.js';
import { expectSortedSet, readKey, replyOutOfMemory } from '../keys/keys_access.js';
import { readScore } from '../sorted_sets/score_arguments.js';
import { useSortedSetLimits } from '../sorted_sets/sorted_set_limits.js';
import { storeNothing, storeResult } from '../sorted_sets/sorted_set_ranges.js';
import { locatePlace, readPlace, readUnit, replyDistance, replyPlace } from './geo.js';

/** The commands: by point or by member with a radius, or as GEOSEARCH has it. */
type Form = 'point' | 'member' | 'search';

/** What a request asks for. */
interface Search {
  readonly form: Form;
  /** Argument of the key to store to; 0: the places are replied. */
  storeKey: number;
  storesDistance: boolean;
  /** How the centre was given; null: not yet. */
  centre: 'member' | 'point' | null;
  longitude: number;
  latitude: number;
  shape: 'circle' | 'box' | null;
  halfWidth: number;
  halfHeight: number;
  /** Meters of the unit. */
  unit: number;
  withDistance: boolean;
  withHash: boolean;
  withPlace: boolean;
  /** -1 from far to near, 1 from near to far, 0 as they come. */
  order: number;
  /** 0: all. */
  count: number;
  any: boolean;
}

interface Found {
  readonly member: Uint8Array;
  readonly score: number;
  readonly distance: number;
  readonly longitude: number;
  readonly latitude: number;
}

/** GEORADIUS key longitude latitude radius unit [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT count [ANY]]
 *  [ASC | DESC] [STORE key | STOREDIST key] */
export function georadius(client: Client): void {
  search(client, 'point', 1, 0, true);
}

/** GEORADIUS_RO: GEORADIUS without STORE. */
export function georadiusRo(client: Client): void {
  search(client, 'point', 1, 0, false);
}

/** GEORADIUSBYMEMBER key member radius unit ... */
export function georadiusByMember(client: Client): void {
  search(client, 'member', 1, 0, true);
}

/** GEORADIUSBYMEMBER_RO: GEORADIUSBYMEMBER without STORE. */
export function georadiusByMemberRo(client: Client): void {
  search(client, 'member', 1, 0, false);
}

/** GEOSEARCH key FROMMEMBER member | FROMLONLAT longitude latitude BYRADIUS radius unit | BYBOX width height
 *  unit [ASC | DESC] [COUNT count [ANY]] [WITHCOORD] [WITHDIST] [WITHHASH] */
export function geosearch(client: Client): void {
  search(client, 'search', 1, 0, false);
}

/** GEOSEARCHSTORE destination source FROMMEMBER ... [STOREDIST] */
export function geosearchstore(client: Client): void {
  search(client, 'search', 2, 1, false);
}

function search(
  client: Client,
  form: Form,
  key: number,
  storeKey: number,
  mayStore: boolean,
): void {
  const ref = readKey(client, key);
  if (ref !== NULL_REF && !expectSortedSet(ref)) return;
  const request = newSearch(form, storeKey);
  const first = readFixed(request, ref, key);
  if (first < 0 || !readOptions(request, ref, first, mayStore) || !isWhole(request)) return;
  if (ref === NULL_REF) {
    if (request.storeKey === 0) reply.emptyArray();
    else storeNothing(client, request.storeKey);
    return;
  }
  const found = findPlaces(ref, request);
  if (request.storeKey === 0) replyFound(found, request);
  else storeFound(client, found, request);
}

function newSearch(form: Form, storeKey: number): Search {
  return {
    form,
    storeKey,
    storesDistance: false,
    centre: null,
    longitude: 0,
    latitude: 0,
    shape: null,
    halfWidth: 0,
    halfHeight: 0,
    unit: 1,
    withDistance: false,
    withHash: false,
    withPlace: false,
    order: 0,
    count: 0,
    any: false,
  };
}

// --- the request ---------------------------------------------------------------------------------

/** Reads what has its place behind the key in argument `key`. Returns the first argument of the options;
 *  -1: an error was replied. */
function readFixed(request: Search, ref: Ref, key: number): number {
  switch (request.form) {
    case 'search':
      return key + 1;
    case 'point':
      if (!readPlace(key + 1)) return -1;
      setCentre(request);
      return readRadius(request, key + 3) ? key + 5 : -1;
    case 'member':
      if (ref === NULL_REF) return key + 4;
      return readMember(request, ref, key + 1) && readRadius(request, key + 2) ? key + 4 : -1;
  }
}

function setCentre(request: Search): void {
  request.longitude = place.longitude;
  request.latitude = place.latitude;
}

function readMember(request: Search, ref: Ref, i: number): boolean {
  if (!locatePlace(ref, i)) {
    replyError(errors.PLACE_OF_MEMBER);
    return false;
  }
  setCentre(request);
  return true;
}

/** Reads radius and unit from argument i on. */
function readRadius(request: Search, i: number): boolean {
  const radius = readScore(i, errors.RADIUS_NOT_A_NUMBER);
  if (Number.isNaN(radius)) return false;
  if (radius < 0) {
    replyError(errors.RADIUS_NEGATIVE);
    return false;
  }
  const unit = readUnit(i + 1);
  if (unit < 0) return false;
  request.shape = 'circle';
  request.unit = unit;
  request.halfWidth = radius * unit;
  request.halfHeight = radius * unit;
  return true;
}

/** Reads width, height and unit from argument i on. */
function readBox(request: Search, i: number): boolean {
  const width = readScore(i, errors.WIDTH_NOT_A_NUMBER);
  if (Number.isNaN(width)) return false;
  const height = readScore(i + 1, errors.HEIGHT_NOT_A_NUMBER);
  if (Number.isNaN(height)) return false;
  if (width < 0 || height < 0) {
    replyError(errors.BOX_NEGATIVE);
    return false;
  }
  const unit = readUnit(i + 2);
  if (unit < 0) return false;
  request.shape = 'box';
  request.unit = unit;
  request.halfWidth = (width * unit) / 2;
  request.halfHeight = (height * unit) / 2;
  return true;
}

function readOptions(request: Search, ref: Ref, first: number, mayStore: boolean): boolean {
  for (let i = first; i < args.count; ) {
    const read = readFlag(request, i)
      ? 1
      : (readCommon(request, i, mayStore) ?? readSearchOption(request, ref, i));
    if (read === null) replyError(errors.SYNTAX_ERROR);
    if (read === null || read < 0) return false;
    i += read;
  }
  return true;
}

/** Reads an option of one word; false when argument i is none. */
function readFlag(request: Search, i: number): boolean {
  if (args.equals(i, 'withdist')) request.withDistance = true;
  else if (args.equals(i, 'withhash')) request.withHash = true;
  else if (args.equals(i, 'withcoord')) request.withPlace = true;
  else if (args.equals(i, 'any')) request.any = true;
  else if (args.equals(i, 'asc')) request.order = 1;
  else if (args.equals(i, 'desc')) request.order = -1;
  else return false;
  return true;
}

/** Reads COUNT, STORE or STOREDIST at argument i. How many arguments that is; null when it is none of them,
 *  -1 when an error was replied. */
function readCommon(request: Search, i: number, mayStore: boolean): number | null {
  if (i + 1 >= args.count) return null;
  if (args.equals(i, 'count')) {
    if (!readInt64(i + 1)) return -1;
    request.count = int64ToNumber(int64.hi, int64.lo);
    if (request.count > 0) return 2;
    replyError(errors.GEO_COUNT);
    return -1;
  }
  if (!mayStore || !(args.equals(i, 'store') || args.equals(i, 'storedist'))) return null;
  request.storesDistance = args.equals(i, 'storedist');
  request.storeKey = i + 1;
  return 2;
}

/** As readCommon(), for what only GEOSEARCH has. */
function readSearchOption(request: Search, ref: Ref, i: number): number | null {
  if (request.form !== 'search') return null;
  const left = args.count - 1 - i;
  if (args.equals(i, 'frommember') && left >= 1 && request.centre !== 'point') {
    request.centre = 'member';
    return ref === NULL_REF || readMember(request, ref, i + 1) ? 2 : -1;
  }
  if (args.equals(i, 'fromlonlat') && left >= 2 && request.centre !== 'member') {
    request.centre = 'point';
    if (!readPlace(i + 1)) return -1;
    setCentre(request);
    return 3;
  }
  if (args.equals(i, 'byradius') && left >= 2 && request.shape !== 'box') {
    return readRadius(request, i + 1) ? 3 : -1;
  }
  if (args.equals(i, 'bybox') && left >= 3 && request.shape !== 'circle') {
    return readBox(request, i + 1) ? 4 : -1;
  }
  if (args.equals(i, 'storedist') && request.storeKey > 0) {
    request.storesDistance = true;
    return 1;
  }
  return null;
}

/** Checks what belongs together. False: an error was replied. */
function isWhole(request: Search): boolean {
  const isSearch = request.form === 'search';
  const withAny = request.withDistance || request.withHash || request.withPlace;
  if (request.storeKey > 0 && withAny) {
    const form = isSearch ? 'GEOSEARCHSTORE' : 'STORE option in GEORADIUS';
    replyError(errors.geoStoreConflict(form));
  } else if (isSearch && request.centre === null) {
    replyError(errors.geoCentreMissing(args.latin1(0)));
  } else if (isSearch && request.shape === null) {
    replyError(errors.geoShapeMissing(args.latin1(0)));
  } else if (request.any && request.count === 0) {
    replyError(errors.GEO_ANY);
  } else {
    return true;
  }
  return false;
}

// --- the search ----------------------------------------------------------------------------------

/** The places in the shape, in the order and number that are asked for. */
function findPlaces(ref: Ref, request: Search): Found[] {
  const shape: Shape = { ...request, isCircle: request.shape === 'circle' };
  const limit = request.any ? request.count : Number.POSITIVE_INFINITY;
  const found: Found[] = [];
  for (const cell of cellsAround(shape)) {
    if (found.length >= limit) break;
    const first = cellStart(cell);
    const start = ranksBelow(ref, first, false);
    const end = ranksBelow(ref, first + cellNumbers(cell), false);
    startWalk(ref, start, end - start, false);
    while (found.length < limit && nextMember()) {
      const score = walkedScore();
      decodePlace(score);
      const { longitude, latitude } = place;
      const distance = distanceInside(shape, longitude, latitude);
      if (distance < 0) continue;
      const member = walked.view.slice(walked.offset, walked.offset + walked.length);
      found.push({ member, score, distance, longitude, latitude });
    }
  }
  // The nearest ones are meant when a number is asked for.
  const order = request.order === 0 && request.count > 0 && !request.any ? 1 : request.order;
  if (order !== 0) found.sort((a, b) => order * (a.distance - b.distance));
  return request.count > 0 ? found.slice(0, request.count) : found;
}

function replyFound(found: readonly Found[], request: Search): void {
  const { withDistance, withHash, withPlace } = request;
  const options = (withDistance ? 1 : 0) + (withHash ? 1 : 0) + (withPlace ? 1 : 0);
  reply.array(found.length);
  for (const { member, score, distance, longitude, latitude } of found) {
    if (options > 0) reply.array(options + 1);
    reply.bulk(member, 0, member.length);
    if (withDistance) replyDistance(distance / request.unit);
    if (withHash) reply.integer(Math.trunc(score));
    if (withPlace) replyPlace(longitude, latitude);
  }
}

function storeFound(client: Client, found: readonly Found[], request: Search): void {
  const { storeKey } = request;
  useSortedSetLimits(true);
  const result = createSortedSet(args.buffer, args.offsets[storeKey]!, args.lengths[storeKey]!);
  if (result === NULL_REF) {
    replyOutOfMemory();
    return;
  }
  for (const { member, score, distance } of found) {
    const stored = request.storesDistance ? distance / request.unit : score;
    locateMember(result, member, 0, member.length);
    if (putMember(result, member, 0, member.length, stored)) continue;
    freeSortedSet(result);
    replyOutOfMemory();
    return;
  }
  storeResult(client, storeKey, result, found.length);
}

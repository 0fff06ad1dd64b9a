// Handlers of the commands on single places: GEOADD, GEODIST, GEOHASH, GEOPOS. A place is a member of a sorted
// set whose score is its geohash (protocol/geohash.ts).
import { args } from '../../../protocol/arguments.js';
import * as errors from '../../../protocol/error_replies.js';
import {
  decodePlace,
  distanceMeters,
  encodePlace,
  LATITUDE_MAX,
  LONGITUDE_MAX,
  place,
  placeText,
} from '../../../protocol/geohash.js';
import { reply } from '../../../protocol/reply_writer.js';
import { NULL_REF, type Ref } from '../../../storage/memory/layout.js';
import { located, locateMember } from '../../../storage/values/sorted_set.js';
import type { Client } from '../../client.js';
import { replyError } from '../../reply_error.js';
import { expectSortedSet, readKey } from '../keys/keys_access.js';
import { readScore } from '../sorted_sets/score_arguments.js';
import { addPlaces } from '../sorted_sets/sorted_sets.js';

/** Meters of the units of distance. */
const UNITS: Readonly<Record<string, number>> = { m: 1, km: 1000, ft: 0.3048, mi: 1609.34 };

/** Decimals of a distance and of degrees in replies. */
const DISTANCE_DECIMALS = 4;
const DEGREE_DECIMALS = 17;

/** Argument i as a unit of distance, in meters; -1: an error was replied. */
export function readUnit(i: number): number {
  for (const [name, meters] of Object.entries(UNITS)) if (args.equals(i, name)) return meters;
  replyError(errors.DISTANCE_UNIT);
  return -1;
}

/** Reads arguments i and i + 1 into `place`. False: an error was replied. */
export function readPlace(i: number): boolean {
  const longitude = readScore(i);
  if (Number.isNaN(longitude)) return false;
  const latitude = readScore(i + 1);
  if (Number.isNaN(latitude)) return false;
  if (Math.abs(longitude) > LONGITUDE_MAX || Math.abs(latitude) > LATITUDE_MAX) {
    replyError(errors.placeInvalid(longitude, latitude));
    return false;
  }
  place.longitude = longitude;
  place.latitude = latitude;
  return true;
}

/** Fills `place` with that of the member in argument i; false when it is not there. */
export function locatePlace(ref: Ref, i: number): boolean {
  if (ref === NULL_REF) return false;
  if (!locateMember(ref, args.buffer, args.offsets[i]!, args.lengths[i]!)) return false;
  decodePlace(located.score);
  return true;
}

/** Replies a distance, a bulk in both protocols. */
export function replyDistance(distance: number): void {
  reply.bulkLatin1(distance.toFixed(DISTANCE_DECIMALS));
}

/** Replies `place`. */
export function replyPlace(longitude: number, latitude: number): void {
  reply.array(2);
  reply.doubleText(degreesText(longitude));
  reply.doubleText(degreesText(latitude));
}

function degreesText(degrees: number): string {
  return degrees.toFixed(DEGREE_DECIMALS).replace(/\.?0+$/, '');
}

/** GEOADD key [NX | XX] [CH] longitude latitude member [longitude latitude member ...] */
export function geoadd(client: Client): void {
  const options = { nx: false, xx: false, ch: false };
  let first = 2;
  for (; first < args.count; first++) {
    if (args.equals(first, 'nx')) options.nx = true;
    else if (args.equals(first, 'xx')) options.xx = true;
    else if (args.equals(first, 'ch')) options.ch = true;
    else break;
  }
  const count = args.count - first;
  if (count === 0 || count % 3 !== 0 || (options.nx && options.xx)) {
    replyError(errors.SYNTAX_ERROR);
    return;
  }
  const hashes = new Float64Array(count / 3);
  for (let i = 0; i < hashes.length; i++) {
    if (!readPlace(first + 3 * i)) return;
    hashes[i] = encodePlace(place.longitude, place.latitude);
  }
  addPlaces(client, first + 2, 3, hashes, options);
}

/** GEODIST key member1 member2 [M | KM | FT | MI] */
export function geodist(client: Client): void {
  if (args.count > 5) {
    replyError(errors.SYNTAX_ERROR);
    return;
  }
  const unit = args.count === 5 ? readUnit(4) : 1;
  if (unit < 0) return;
  const ref = readKey(client, 1);
  if (ref !== NULL_REF && !expectSortedSet(ref)) return;
  if (!locatePlace(ref, 2)) {
    reply.null();
    return;
  }
  const { longitude, latitude } = place;
  if (!locatePlace(ref, 3)) reply.null();
  else replyDistance(distanceMeters(longitude, latitude, place.longitude, place.latitude) / unit);
}

/** GEOHASH key [member ...] */
export function geohash(client: Client): void {
  const ref = readKey(client, 1);
  if (ref !== NULL_REF && !expectSortedSet(ref)) return;
  reply.array(args.count - 2);
  for (let i = 2; i < args.count; i++) {
    if (locatePlace(ref, i)) reply.bulkLatin1(placeText(place.longitude, place.latitude));
    else reply.null();
  }
}

/** GEOPOS key [member ...] */
export function geopos(client: Client): void {
  const ref = readKey(client, 1);
  if (ref !== NULL_REF && !expectSortedSet(ref)) return;
  reply.array(args.count - 2);
  for (let i = 2; i < args.count; i++) {
    if (locatePlace(ref, i)) replyPlace(place.longitude, place.latitude);
    else reply.nullArray();
  }
}

// What ZUNION and its kind combine: sorted sets, and sets, whose members count as having a score of 1.
import * as errors from '../../../protocol/error_replies.js';
import { NULL_REF, type Ref } from '../../../storage/memory/layout.js';
import {
  headerOf,
  span,
  TYPE_MASK,
  TYPE_SET,
  TYPE_SORTED_SET,
} from '../../../storage/structures/entry.js';
import { SetCursor, setCount } from '../../../storage/values/set.js';
import {
  cardinality,
  located,
  locateMember,
  nextMember,
  startWalk,
  walked,
  walkedScore,
} from '../../../storage/values/sorted_set.js';
import { replyError } from '../../reply_error.js';
import { hasMember, locateMemberBytes, takeBytes, takeFromCursor } from '../sets/set_value.js';

const SET_SCORE = 1;

/** A member that a walk has come to, or the score of one that was found. */
export const scored = { view: new Uint8Array(0) as Uint8Array, offset: 0, length: 0, score: 0 };

const cursor = new SetCursor();
let walksSet = false;

/** True when the entry, if there is one, can be combined; else replies WRONGTYPE. */
export function expectSource(ref: Ref): boolean {
  if (ref === NULL_REF) return true;
  const type = headerOf(ref) & TYPE_MASK;
  if (type === TYPE_SORTED_SET || type === TYPE_SET) return true;
  replyError(errors.WRONG_TYPE);
  return false;
}

function isSet(ref: Ref): boolean {
  return (headerOf(ref) & TYPE_MASK) === TYPE_SET;
}

/** Number of members; NULL_REF has none. */
export function sourceSize(ref: Ref): number {
  if (ref === NULL_REF) return 0;
  return isSet(ref) ? setCount(ref) : cardinality(ref);
}

/** Begins a walk over the members of a source; one is under way at a time. */
export function startSource(ref: Ref): void {
  walksSet = isSet(ref);
  if (walksSet) cursor.open(ref);
  else startWalk(ref, 0, cardinality(ref), false);
}

/** Goes to the next member and fills `scored`; false behind the last one. */
export function nextScored(): boolean {
  if (!walksSet) {
    if (!nextMember()) return false;
    scored.view = walked.view;
    scored.offset = walked.offset;
    scored.length = walked.length;
    scored.score = walkedScore();
    return true;
  }
  if (!cursor.next()) return false;
  takeFromCursor(cursor);
  locateMemberBytes();
  scored.view = span.view;
  scored.offset = span.offset;
  scored.length = span.length;
  scored.score = SET_SCORE;
  return true;
}

/** The score of a member in a source; NaN when it is not there, or the source is NULL_REF. */
export function findScore(ref: Ref, view: Uint8Array, offset: number, length: number): number {
  if (ref === NULL_REF) return Number.NaN;
  if (!isSet(ref)) return locateMember(ref, view, offset, length) ? located.score : Number.NaN;
  takeBytes(view, offset, length);
  return hasMember(ref) ? SET_SCORE : Number.NaN;
}

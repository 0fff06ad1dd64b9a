// Scores and ranges of sorted sets in requests.
//
//   a range of scores    min and max, each a number, or '(' and a number that does not belong to it
//   a range of members   '-' and '+' are the ends, '[m' begins or ends with m, '(m' right beside it
import { args } from '../../../protocol/arguments.js';
import * as errors from '../../../protocol/error_replies.js';
import { parseFloatLoose, parseFloatStrict } from '../../../protocol/float_text.js';
import { replyError } from '../../reply_error.js';

const OPEN = 0x28; // (
const CLOSED = 0x5b; // [
const LEAST = 0x2d; // -
const GREATEST = 0x2b; // +

/** Argument i as a score; NaN when an error was replied. */
export function readScore(i: number, error: string = errors.NOT_A_FLOAT): number {
  const score = parseFloatStrict(args.buffer, args.offsets[i]!, args.lengths[i]!);
  if (Number.isNaN(score)) replyError(error);
  return score;
}

/** The range of scores that was read last. */
export const scoreRange = { min: 0, max: 0, minOpen: false, maxOpen: false };

/** Reads arguments `min` and `max` into `scoreRange`. False: an error was replied. */
export function readScoreRange(min: number, max: number): boolean {
  scoreRange.minOpen = isOpen(min);
  scoreRange.maxOpen = isOpen(max);
  scoreRange.min = readBound(min, scoreRange.minOpen);
  scoreRange.max = readBound(max, scoreRange.maxOpen);
  if (!Number.isNaN(scoreRange.min) && !Number.isNaN(scoreRange.max)) return true;
  replyError(errors.SCORE_RANGE);
  return false;
}

function isOpen(i: number): boolean {
  return args.lengths[i]! > 0 && args.buffer[args.offsets[i]!] === OPEN;
}

function readBound(i: number, open: boolean): number {
  const skipped = open ? 1 : 0;
  return parseFloatLoose(args.buffer, args.offsets[i]! + skipped, args.lengths[i]! - skipped);
}

/** What an end of a range of members is. */
export const MEMBER_LEAST = 0;
export const MEMBER_OPEN = 1;
export const MEMBER_CLOSED = 2;
export const MEMBER_GREATEST = 3;

/** The kind of end that argument i is; -1: it is none. The member follows the first byte. */
export function memberBound(i: number): number {
  const { buffer } = args;
  const offset = args.offsets[i]!;
  const length = args.lengths[i]!;
  if (length === 0) return -1;
  const ends = length === 1 || buffer[offset + 1] === 0;
  switch (buffer[offset]) {
    case OPEN:
      return MEMBER_OPEN;
    case CLOSED:
      return MEMBER_CLOSED;
    case LEAST:
      return ends ? MEMBER_LEAST : -1;
    case GREATEST:
      return ends ? MEMBER_GREATEST : -1;
    default:
      return -1;
  }
}

/** Whether arguments `min` and `max` are a range of members; else an error was replied. */
export function expectMemberRange(min: number, max: number): boolean {
  if (memberBound(min) >= 0 && memberBound(max) >= 0) return true;
  replyError(errors.MEMBER_RANGE);
  return false;
}

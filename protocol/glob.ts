// Redis's glob patterns over bytes: KEYS, SCAN MATCH, CONFIG GET, PSUBSCRIBE.
//
//   *  any bytes, none too    ?  one byte    \c  the byte c
//   [abc] [a-z] [^a] one byte of the set, or not of it; a set that is not closed ends with the pattern
//
// A pattern with many stars could take time exponential in its length. As in Redis 7: when the rest of a
// pattern that begins at some star has failed at every place of the subject, no earlier star can help,
// because it would only offer the rest fewer places. So a failure behind a star ends the whole match, and
// the cost is at most pattern length times subject length.
//
// One oddity is kept: an empty subject matches only the empty pattern and '*' itself, not '**'.

const STAR = 0x2a;
const QUESTION = 0x3f;
const OPEN = 0x5b;
const CLOSE = 0x5d;
const CARET = 0x5e;
const BACKSLASH = 0x5c;
const DASH = 0x2d;

/** Set by matchSet(): whether the byte matched, and where the pattern goes on. */
let setMatched = false;
let setEnd = 0;

/**
 * Whether subject[subjectOffset, + subjectLength) matches pattern[patternOffset, + patternLength) as a
 * whole. With ignoreCase, ASCII letters match in either case.
 */
export function globMatch(
  pattern: Uint8Array,
  patternOffset: number,
  patternLength: number,
  subject: Uint8Array,
  subjectOffset: number,
  subjectLength: number,
  ignoreCase: boolean,
): boolean {
  if (subjectLength === 0) {
    return patternLength === 0 || (patternLength === 1 && pattern[patternOffset] === STAR);
  }
  const patternEnd = patternOffset + patternLength;
  const subjectEnd = subjectOffset + subjectLength;
  let p = patternOffset;
  let s = subjectOffset;
  // Behind the last star, and the subject position at which its rest was tried last.
  let starNext = -1;
  let starSubject = 0;
  for (;;) {
    if (p < patternEnd && pattern[p] === STAR) {
      p++;
      if (p === patternEnd) {
        return true;
      }
      starNext = p;
      starSubject = s;
      continue;
    }
    if (s < subjectEnd && p < patternEnd) {
      const next = matchOne(pattern, p, patternEnd, subject[s]!, ignoreCase);
      if (next >= 0) {
        p = next;
        s++;
        continue;
      }
    } else if (s === subjectEnd && p === patternEnd) {
      return true;
    }
    // A mismatch: let the last star take one byte more. Earlier stars need not be tried again.
    if (starNext < 0 || starSubject >= subjectEnd) {
      return false;
    }
    starSubject++;
    p = starNext;
    s = starSubject;
  }
}

/** Matches one byte with the pattern element at p (not a star); where the next one begins, or -1. */
function matchOne(
  pattern: Uint8Array,
  p: number,
  patternEnd: number,
  byte: number,
  ignoreCase: boolean,
): number {
  let wanted = pattern[p]!;
  let next = p + 1;
  if (wanted === QUESTION) {
    return next;
  }
  if (wanted === OPEN) {
    matchSet(pattern, next, patternEnd, byte, ignoreCase);
    return setMatched ? setEnd : -1;
  }
  if (wanted === BACKSLASH && next < patternEnd) {
    wanted = pattern[next]!;
    next++;
  }
  return same(wanted, byte, ignoreCase) ? next : -1;
}

/** Matches a byte with the set whose content begins at p. Leaves setMatched and setEnd. */
function matchSet(
  pattern: Uint8Array,
  begin: number,
  patternEnd: number,
  byte: number,
  ignoreCase: boolean,
): void {
  let p = begin;
  const negated = p < patternEnd && pattern[p] === CARET;
  if (negated) {
    p++;
  }
  let matched = false;
  while (p < patternEnd && pattern[p] !== CLOSE) {
    if (pattern[p] === BACKSLASH && p + 1 < patternEnd) {
      p++;
      // An escaped byte in a set matches in its own case only, as in Redis.
      matched = matched || pattern[p] === byte;
      p++;
    } else if (p + 2 < patternEnd && pattern[p + 1] === DASH) {
      matched = matched || inRange(pattern[p]!, pattern[p + 2]!, byte, ignoreCase);
      p += 3;
    } else {
      matched = matched || same(pattern[p]!, byte, ignoreCase);
      p++;
    }
  }
  setMatched = matched !== negated;
  setEnd = p < patternEnd ? p + 1 : p;
}

function inRange(from: number, to: number, byte: number, ignoreCase: boolean): boolean {
  let low = Math.min(from, to);
  let high = Math.max(from, to);
  let wanted = byte;
  if (ignoreCase) {
    low = lower(low);
    high = lower(high);
    wanted = lower(byte);
  }
  return wanted >= low && wanted <= high;
}

function same(left: number, right: number, ignoreCase: boolean): boolean {
  return left === right || (ignoreCase && lower(left) === lower(right));
}

function lower(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte;
}

// Glob patterns over short texts (option names, file names), with the rules of Redis's KEYS:
// `*` any text, `?` any character, `[abc]`, `[a-z]`, `[^a]` one of a class, `\c` the character c.
//
// Only the last star is ever tried again, so the time is at most pattern length x text length,
// whatever a client sends.

/** Whether the whole text matches the pattern. */
export function matchesGlob(pattern: string, text: string): boolean {
  let patternAt = 0;
  let textAt = 0;
  let afterStar = -1;
  let starText = 0;
  while (textAt < text.length) {
    if (pattern[patternAt] === '*') {
      afterStar = ++patternAt;
      starText = textAt;
      continue;
    }
    const next = matchOne(pattern, patternAt, text[textAt]!);
    if (next >= 0) {
      patternAt = next;
      textAt++;
    } else if (afterStar >= 0) {
      patternAt = afterStar;
      textAt = ++starText;
    } else {
      return false;
    }
  }
  while (pattern[patternAt] === '*') patternAt++;
  return patternAt === pattern.length;
}

/** Where the pattern goes on when its element at `at` matches the character, else -1. */
function matchOne(pattern: string, at: number, character: string): number {
  if (at >= pattern.length) return -1;
  const element = pattern[at]!;
  if (element === '?') return at + 1;
  if (element === '[') return matchClass(pattern, at + 1, character);
  if (element === '\\' && at + 1 < pattern.length) {
    return pattern[at + 1] === character ? at + 2 : -1;
  }
  return element === character ? at + 1 : -1;
}

/** A class whose first element is at `at`. One without `]` ends with the pattern, as in Redis. */
function matchClass(pattern: string, at: number, character: string): number {
  const isNegated = pattern[at] === '^';
  let isMember = false;
  let next = isNegated ? at + 1 : at;
  while (next < pattern.length && pattern[next] !== ']') {
    if (pattern[next] === '\\' && next + 1 < pattern.length) {
      isMember ||= pattern[next + 1] === character;
      next += 2;
    } else if (pattern[next + 1] === '-' && next + 2 < pattern.length) {
      const [low, high] = [pattern[next]!, pattern[next + 2]!].sort() as [string, string];
      isMember ||= low <= character && character <= high;
      next += 3;
    } else {
      isMember ||= pattern[next] === character;
      next++;
    }
  }
  return isMember === isNegated ? -1 : Math.min(next + 1, pattern.length);
}

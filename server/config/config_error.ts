// The error that stops a start: one line, in words for the person who wrote the configuration.

/** A configuration that cannot be used. The message names place, directive and what is accepted. */
export class ConfigError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ConfigError';
  }
}

/** Longest piece of the user's text that a message repeats. */
const QUOTE_LENGTH_MAX = 160;

/** A text for a one-line message: without control characters, and not longer than is useful. */
export function onOneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must go
  const line = text.replace(/[\u0000-\u001f\u007f]/g, '?');
  return line.length <= QUOTE_LENGTH_MAX ? line : `${line.slice(0, QUOTE_LENGTH_MAX)}...`;
}

/** The reason of a failed system call as strerror words it, without Node's decoration. */
export function systemReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const match = /^[A-Z0-9]+: ([^,]+)/.exec(error.message);
  return match?.[1] ?? error.message;
}

/** The known name nearest to a mistyped one, or null when none is near enough to be meant. */
export function nearestName(given: string, known: Iterable<string>): string | null {
  const allowed = Math.min(3, Math.ceil(given.length / 3));
  let nearest: string | null = null;
  let nearestEdits = allowed + 1;
  for (const name of known) {
    if (Math.abs(name.length - given.length) >= nearestEdits) continue;
    const edits = editDistance(given, name);
    if (edits < nearestEdits) {
      nearest = name;
      nearestEdits = edits;
    }
  }
  return nearest;
}

/** Levenshtein distance: how many characters to insert, remove or replace. */
function editDistance(source: string, target: string): number {
  let above = Array.from({ length: target.length + 1 }, (_, index) => index);
  for (let row = 1; row <= source.length; row++) {
    const current = [row];
    for (let column = 1; column <= target.length; column++) {
      const replaced = above[column - 1]! + (source[row - 1] === target[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, above[column]! + 1, current[column - 1]! + 1));
    }
    above = current;
  }
  return above[target.length]!;
}

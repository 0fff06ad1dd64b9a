// Scores as words: a double and the two words whose order (signed high, unsigned low) is that of the
// numbers, as the B+tree compares its items.
//
//   positive   the bits as they are
//   negative   all bits but the sign inverted, so that larger magnitudes come first
//   -0         as 0: the two are equal
//
// Precondition everywhere: no score is NaN.
const double = new Float64Array(1);
const words = new Int32Array(double.buffer);

/** The words that orderWords() and rawWords() made last. */
export const scoreWords = { high: 0, low: 0 };

/** Fills `scoreWords` with the words that order a score. */
export function orderWords(score: number): void {
  double[0] = score + 0; // -0 + 0 is 0
  const high = words[1]!;
  const sign = high >> 31;
  scoreWords.high = high ^ (sign & 0x7fffffff);
  scoreWords.low = words[0]! ^ sign;
}

/** Fills `scoreWords` with the bits of a score. */
export function rawWords(score: number): void {
  double[0] = score;
  scoreWords.high = words[1]!;
  scoreWords.low = words[0]!;
}

/** The score with these bits. */
export function scoreOfWords(high: number, low: number): number {
  words[1] = high;
  words[0] = low;
  return double[0]!;
}

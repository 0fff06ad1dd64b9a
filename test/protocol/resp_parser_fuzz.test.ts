// Random and mutated request streams, cut at random places: the parser throws nothing, reads nothing
// outside its range, and agrees with the plain reference parser whatever the cuts.
// STILLFRAME_FUZZ_SEED replays a run, STILLFRAME_FUZZ_ROUNDS makes it longer.
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, test } from 'vitest';
import { numberFromEnv, Random } from '../support/random.js';
import { drive, latin1, multibulk } from './drive.js';
import { STREAMS } from './protocol_cases.js';
import { referenceParse } from './reference_parser.js';

const SEED = numberFromEnv('STILLFRAME_FUZZ_SEED', 20240607);
const ROUNDS = numberFromEnv('STILLFRAME_FUZZ_ROUNDS', 5000);

/** Bytes that mean something to a request parser. */
const ALPHABET = '*$\r\n\0 "\'\\x0123456789-+aZ\t\v\xff';

function randomText(random: Random, length: number, alphabet = ALPHABET): string {
  let text = '';
  for (let i = 0; i < length; i++) {
    text += alphabet[random.below(alphabet.length)];
  }
  return text;
}

function validStream(random: Random): string {
  let text = '';
  for (let n = random.between(1, 5); n > 0; n--) {
    if (random.chance(0.2)) {
      text += `${randomText(random, random.below(20), 'abc "\' ')}\r\n`;
    } else if (random.chance(0.1)) {
      text += `*${random.between(-3, 0)}\r\n`;
    } else {
      const count = random.chance(0.1) ? random.between(10, 40) : random.between(1, 5);
      const length = random.chance(0.1) ? 1200 : 12;
      text += multibulk(
        ...Array.from({ length: count }, () => randomText(random, random.below(length))),
      );
    }
  }
  return text;
}

function mutate(random: Random, text: string): string {
  let result = text;
  for (let n = random.between(1, 3); n > 0; n--) {
    const at = random.below(result.length + 1);
    const gone = random.chance(0.5) ? random.between(1, 4) : 0;
    const put = random.chance(0.7) ? randomText(random, random.between(1, 3)) : '';
    result = result.slice(0, at) + put + result.slice(at + gone);
  }
  return result;
}

function cutsOf(random: Random, length: number): number[] {
  const cuts = Array.from({ length: random.below(12) }, () => random.below(length + 1));
  return cuts.sort((a, b) => a - b);
}

describe(`fuzz, seed ${SEED}`, () => {
  test.each([
    ['valid', (random: Random) => validStream(random)],
    ['mutated', (random: Random) => mutate(random, validStream(random))],
    ['mutated edge cases', (random: Random) => mutate(random, random.pick(STREAMS))],
    ['random', (random: Random) => randomText(random, random.below(80))],
    ['random after a header', (random: Random) => `*3\r\n$1\r\n${randomText(random, 40)}`],
  ])('%s streams', (kind, make) => {
    const random = new Random(SEED + kind.length);
    for (let round = 0; round < ROUNDS; round++) {
      const text = make(random);
      const bytes = latin1(text);
      const authenticated = !random.chance(0.2);
      const expected = referenceParse(text, authenticated);
      const cuts = cutsOf(random, bytes.length);
      const salt = random.below(1000);
      const whole = drive(bytes, [], { salt, authenticated });
      const pieces = drive(bytes, cuts, { salt: salt + 1, authenticated });
      if (!isDeepStrictEqual(whole, expected) || !isDeepStrictEqual(pieces, expected)) {
        const where = `round ${round}: ${JSON.stringify(text)} cut at ${cuts}`;
        expect({ whole, pieces }, where).toEqual({ whole: expected, pieces: expected });
      }
    }
  });
});

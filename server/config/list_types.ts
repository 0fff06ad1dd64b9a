// The two options that are small tables of their own: save points and output buffer limits.
import { InvalidValue, type OptionType, parseMemory, printMemory } from './option_types.js';

/** A checkpoint is due after `seconds` when at least `changes` writes happened meanwhile. */
export interface SavePoint {
  readonly seconds: number;
  readonly changes: number;
}

const SAVE_EXPECTED =
  'pairs of seconds (1 or more) and changes (0 or more), such as 3600 1 300 100, or ""';

function saveNumber(text: string, min: number): number {
  const value = /^[0-9]{1,15}$/.test(text) ? Number(text) : -1;
  if (value < min) throw new InvalidValue('Invalid save parameters', SAVE_EXPECTED);
  return value;
}

/** Save points. Occurrences add up; an empty one removes those before it, as in Redis. */
export const savePoints: OptionType<readonly SavePoint[]> = {
  expected: SAVE_EXPECTED,
  argumentsMax: Number.POSITIVE_INFINITY,
  blank: [],
  parse(args, base) {
    if (args.length === 0) return [];
    if (args.length % 2 !== 0) throw new InvalidValue('Invalid save parameters', SAVE_EXPECTED);
    const points = [...base];
    for (let index = 0; index < args.length; index += 2) {
      const seconds = saveNumber(args[index]!, 1);
      const changes = saveNumber(args[index + 1]!, 0);
      points.push({ seconds, changes });
    }
    return points;
  },
  print: (points) => points.map((point) => `${point.seconds} ${point.changes}`).join(' '),
  lines(points) {
    if (points.length === 0) return [['']];
    return points.map((point) => [String(point.seconds), String(point.changes)]);
  },
};

/** Bounds on what waits for one client: at once above `hardBytes`, or above `softBytes` for
 *  longer than `softSeconds`. 0 is no bound. */
export interface OutputBufferLimit {
  readonly hardBytes: number;
  readonly softBytes: number;
  readonly softSeconds: number;
}

export interface OutputBufferLimits {
  readonly normal: OutputBufferLimit;
  readonly replica: OutputBufferLimit;
  readonly pubsub: OutputBufferLimit;
}

type ClientClass = keyof OutputBufferLimits;

const LIMITS_EXPECTED =
  'a class (normal, replica, pubsub), a hard limit, a soft limit and soft seconds, ' +
  'such as pubsub 32mb 8mb 60';

const CLASSES: readonly { readonly name: string; readonly field: ClientClass }[] = [
  { name: 'normal', field: 'normal' },
  { name: 'slave', field: 'replica' },
  { name: 'replica', field: 'replica' },
  { name: 'pubsub', field: 'pubsub' },
];

/** The classes in the order and under the names of Redis's CONFIG GET. */
const PRINTED_CLASSES = CLASSES.filter((row) => row.name !== 'replica');
const FILE_CLASSES = CLASSES.filter((row) => row.name !== 'slave');

function parseLimit(hard: string, soft: string, seconds: string): OutputBufferLimit {
  const hardBytes = parseMemory(hard);
  const softBytes = parseMemory(soft);
  const softSeconds = /^[0-9]{1,10}$/.test(seconds) ? Number(seconds) : null;
  if (hardBytes === null || softBytes === null || softSeconds === null) {
    throw new InvalidValue(
      'Error in hard, soft or soft_seconds setting in buffer limit configuration.',
      LIMITS_EXPECTED,
    );
  }
  return { hardBytes, softBytes, softSeconds };
}

/** Output buffer limits per class. An occurrence changes the classes it names, no others. */
export const outputBufferLimits: OptionType<OutputBufferLimits> = {
  expected: LIMITS_EXPECTED,
  argumentsMax: Number.POSITIVE_INFINITY,
  parse(args, base) {
    if (args.length % 4 !== 0) {
      throw new InvalidValue(
        'Wrong number of arguments in buffer limit configuration.',
        LIMITS_EXPECTED,
      );
    }
    const limits = { ...base };
    for (let index = 0; index < args.length; index += 4) {
      const row = CLASSES.find((candidate) => candidate.name === args[index]!.toLowerCase());
      if (row === undefined) {
        throw new InvalidValue(
          'Invalid client class specified in buffer limit configuration.',
          LIMITS_EXPECTED,
        );
      }
      limits[row.field] = parseLimit(args[index + 1]!, args[index + 2]!, args[index + 3]!);
    }
    return limits;
  },
  print: (limits) =>
    PRINTED_CLASSES.map(({ name, field }) => {
      const { hardBytes, softBytes, softSeconds } = limits[field];
      return `${name} ${hardBytes} ${softBytes} ${softSeconds}`;
    }).join(' '),
  lines: (limits) =>
    FILE_CLASSES.map(({ name, field }) => {
      const { hardBytes, softBytes, softSeconds } = limits[field];
      return [name, printMemory(hardBytes), printMemory(softBytes), String(softSeconds)];
    }),
};

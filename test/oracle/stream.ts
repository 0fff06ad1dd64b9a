// Runs a seeded stream of commands through a duel and reports all disagreements at once.
//
// ORACLE_SEED=n replays a run, ORACLE_OPS=n sets the number of commands per stream (default: a few
// thousand, so that the suite stays short).
import { basename } from 'node:path';
import { afterAll, expect } from 'vitest';
import { figure } from '../support/figures.js';
import { numberFromEnv, Random } from '../support/random.js';
import { argBytes, type Command } from '../support/raw_client.js';
import { commandLine, type Duel, type Mismatch, type Step } from './duel.js';
import { type CommandSource, Generator } from './generator.js';
import { shrink } from './shrink.js';

export interface StreamOptions {
  readonly source: CommandSource;
  readonly keys: readonly string[];
  /** RESP version of each connection of an episode. */
  readonly protocols?: readonly number[];
  /** Commands that each episode begins with, on connection 0. */
  readonly prepare?: (g: Generator) => readonly Command[];
  readonly operations?: number;
}

const EPISODE_STEPS = 600;
const BATCH_MAX = 60;
const REPORTS_MAX = 8;
const EPISODES_WITH_MISMATCH_MAX = 40;
const DEFAULT_OPERATIONS = 6000;

export const ORACLE_SEED = numberFromEnv('ORACLE_SEED', 20_231);

/** Commands that were compared in this file's streams. */
let comparedInFile = 0;
afterAll(() => {
  const file = basename(expect.getState().testPath ?? '');
  figure(`${file}: ${comparedInFile} commands of streams, the same replies`);
});

/** Throws with a report when the servers disagree. Returns the number of commands compared. */
export async function runStream(duel: Duel, options: StreamOptions): Promise<number> {
  const operations = numberFromEnv('ORACLE_OPS', options.operations ?? DEFAULT_OPERATIONS);
  const reports = new Map<string, string>();
  let done = 0;
  let failedEpisodes = 0;
  for (let episode = 0; done < operations; episode++) {
    const seed = ORACLE_SEED + episode * 7919;
    const { steps, mismatch, protocols } = await runEpisode(duel, options, seed);
    done += steps.length;
    if (mismatch === null) continue;
    failedEpisodes++;
    const kind = signature(mismatch);
    if (!reports.has(kind)) {
      const upTo = steps.slice(0, mismatch.index + 1);
      reports.set(kind, await report(duel, protocols, upTo, mismatch, seed));
    }
    if (reports.size >= REPORTS_MAX || failedEpisodes >= EPISODES_WITH_MISMATCH_MAX) break;
  }
  if (reports.size > 0) {
    throw new Error(`${reports.size} disagreements:\n\n${[...reports.values()].join('\n\n')}`);
  }
  comparedInFile += done;
  return done;
}

async function runEpisode(duel: Duel, options: StreamOptions, seed: number) {
  const random = new Random(seed);
  const protocols = options.protocols ?? [random.pick([2, 3])];
  const g = new Generator(random, options.keys);
  await duel.reset(protocols);
  const steps: Step[] = [];
  let batch: readonly Command[] = options.prepare?.(g) ?? [];
  let connection = 0;
  let mismatch: Mismatch | null = null;
  while (mismatch === null && steps.length < EPISODE_STEPS) {
    if (batch.length > 0) {
      const base = steps.length;
      for (const command of batch) steps.push({ connection, command });
      mismatch = await duel.batch(connection, batch, base);
    }
    connection = random.below(protocols.length);
    const length = random.chance(0.2) ? 1 : random.between(1, BATCH_MAX);
    batch = Array.from({ length }, () => options.source.draw(g));
  }
  return { steps, mismatch, protocols };
}

/** Disagreements of one kind are reported once. */
function signature({ step, expected, actual }: Mismatch): string {
  const word = (i: number): string =>
    argBytes(step.command[i] ?? '')
      .toString('latin1')
      .toUpperCase();
  const shape = (text: string): string => text.replace(/\d+/g, '0').slice(0, 40);
  const name = /^(OBJECT|CLIENT|CONFIG|DEBUG|MEMORY|COMMAND)$/.test(word(0))
    ? `${word(0)} ${word(1)}`
    : word(0);
  return `${name} ${shape(expected)} ${shape(actual)}`;
}

async function report(
  duel: Duel,
  protocols: readonly number[],
  steps: readonly Step[],
  first: Mismatch,
  seed: number,
): Promise<string> {
  const log = duel.subject.server.exit === null ? '' : `\n${duel.subject.server.logTail()}`;
  const short = await shrink(duel, protocols, steps);
  const mismatch = short.mismatch ?? first;
  const shown = short.mismatch === null ? steps.slice(-25) : short.steps;
  const again = short.mismatch === null ? ' (not again when replayed; the last commands were)' : '';
  return [
    `seed ${seed} step ${first.index}, RESP ${protocols.join('/')}, connection: command${again}`,
    ...shown.map(
      ({ connection, command }) => `  ${connection}: ${commandLine(command).slice(0, 400)}`,
    ),
    `  redis:      ${mismatch.expected}`,
    `  ${duel.subject.kind}: ${mismatch.actual}${log}`,
  ].join('\n');
}

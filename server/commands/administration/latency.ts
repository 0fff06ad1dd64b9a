// LATENCY: the latency monitor's events and the histograms of commands.
import { args } from '../../../protocol/arguments.js';
import * as errors from '../../../protocol/error_replies.js';
import { reply } from '../../../protocol/reply_writer.js';
import type { Command } from '../../command_table/command.js';
import { allCommands, findCommand } from '../../command_table/command_registry.js';
import {
  type LatencyEvent,
  type LatencySample,
  latencyEvent,
  latencyEvents,
  resetLatency,
} from '../../latency.js';
import { replyError } from '../../reply_error.js';
import { runtime } from '../../runtime.js';
import { replyHelp } from '../arguments/help.js';

/** LATENCY LATEST: per event its name, its last sample and its longest time. */
export function latencyLatest(): void {
  const all = [...latencyEvents()];
  reply.array(all.length);
  for (const [name, event] of all) {
    const { seconds, millis } = event.samples().at(-1)!;
    reply.array(4);
    reply.bulkLatin1(name);
    reply.integer(seconds);
    reply.integer(millis);
    reply.integer(event.maxMillis);
  }
}

/** LATENCY HISTORY event */
export function latencyHistory(): void {
  const samples = latencyEvent(args.latin1(2))?.samples() ?? [];
  reply.array(samples.length);
  for (const { seconds, millis } of samples) {
    reply.array(2);
    reply.integer(seconds);
    reply.integer(millis);
  }
}

/** LATENCY RESET [event ...]: how many events were forgotten. */
export function latencyReset(): void {
  const names =
    args.count === 2
      ? Array.from(latencyEvents(), ([name]) => name)
      : Array.from({ length: args.count - 2 }, (_, i) => args.latin1(2 + i));
  reply.integer(names.filter((name) => resetLatency(name)).length);
}

// --- GRAPH ---------------------------------------------------------------------------------------

const GRAPH_COLUMNS_MAX = 80;
const GRAPH_ROWS = 4;

/** LATENCY GRAPH event: a column per sample, oldest first. */
export function latencyGraph(): void {
  const name = args.latin1(2);
  const event = latencyEvent(name);
  if (event === undefined) replyError(errors.noLatencySamples(name));
  else reply.verbatim(graphText(name, event), 'txt');
}

function graphText(name: string, event: LatencyEvent): string {
  const samples = event.samples().slice(-GRAPH_COLUMNS_MAX);
  const times = samples.map(({ millis }) => millis);
  const high = Math.max(...times);
  const low = Math.min(...times);
  const heights = times.map((millis) =>
    high === low ? 1 : 1 + Math.round(((millis - low) / (high - low)) * (GRAPH_ROWS - 1)),
  );
  const lines = [
    `${name} - high ${high} ms, low ${low} ms (all time high ${event.maxMillis} ms)`,
    '-'.repeat(GRAPH_COLUMNS_MAX),
  ];
  for (let row = GRAPH_ROWS; row > 0; row--) {
    lines.push(
      heights
        .map((height) => (height >= row ? '#' : ' '))
        .join('')
        .trimEnd(),
    );
  }
  lines.push(`from ${ageOf(samples[0]!)} to ${ageOf(samples.at(-1)!)} ago`);
  return `${lines.join('\n')}\n`;
}

function ageOf({ seconds }: LatencySample): string {
  const age = Math.max(0, Math.floor(Date.now() / 1000) - seconds);
  if (age < 60) return `${age}s`;
  if (age < 3600) return `${Math.floor(age / 60)}m`;
  return age < 86400 ? `${Math.floor(age / 3600)}h` : `${Math.floor(age / 86400)}d`;
}

// --- DOCTOR --------------------------------------------------------------------------------------

const ADVICE: Readonly<Record<string, string>> = {
  command: 'look for commands that walk many elements; COMMAND DOCS names the complexity of each.',
  'fast-command':
    'commands of constant time were slow: the machine was busy or the memory swapped.',
  'expire-cycle': 'many keys expire at the same time; spread their expiry.',
  'checkpoint-pause': 'checkpoint_mechanism_reason in INFO says how writes are caught, and why.',
  'checkpoint-fault-burst':
    'a larger checkpoint-extra-memory lets more updates go where they are not caught.',
  'extent-populate': 'memory was needed faster than it can be made ready, or is short.',
};

/** LATENCY DOCTOR */
export function latencyDoctor(): void {
  const lines: string[] = [];
  if (runtime.config.latencyMonitorThreshold === 0) {
    lines.push(
      'Only the events of checkpoints and memory are watched. To watch commands and expiry too: ' +
        'CONFIG SET latency-monitor-threshold <milliseconds>.',
    );
  }
  const found = Array.from(latencyEvents(), ([name, event]) => describeEvent(name, event));
  if (found.length === 0) lines.push('No event was seen.');
  reply.verbatim(`${[...lines, ...found].join('\n')}\n`, 'txt');
}

function describeEvent(name: string, event: LatencyEvent): string {
  const samples = event.samples();
  const times = samples.map(({ millis }) => millis);
  const mean = times.reduce((sum, millis) => sum + millis, 0) / times.length;
  const spread = times.reduce((sum, millis) => sum + Math.abs(millis - mean), 0) / times.length;
  return (
    ` * ${name}: ${times.length} samples, mean ${mean.toFixed(1)} ms, mean deviation ` +
    `${spread.toFixed(1)} ms, longest ${event.maxMillis} ms, last ${ageOf(samples.at(-1)!)} ago: ` +
    ADVICE[name]
  );
}

// --- HISTOGRAM -----------------------------------------------------------------------------------

/**
 * LATENCY HISTOGRAM [command ...]: by powers of two of microseconds. One call in so many is timed
 * (execute.ts) and stands for the others.
 */
export function latencyHistogram(): void {
  const measured = [...namedCommands()].filter(({ latencies }) => latencies !== null);
  reply.map(measured.length);
  for (const { fullName, calls, latencies } of measured) {
    const rows = latencies!.cumulative(calls);
    reply.bulkLatin1(fullName);
    reply.map(2);
    reply.bulkLatin1('calls');
    reply.integer(calls);
    reply.bulkLatin1('histogram_usec');
    reply.map(rows.length);
    for (const [micros, count] of rows) {
      reply.integer(micros);
      reply.integer(count);
    }
  }
}

/** The commands that the arguments name, those below a container with it; all without arguments. */
function* namedCommands(): Generator<Command> {
  if (args.count === 2) yield* allCommands();
  for (let i = 2; i < args.count; i++) {
    const command = findCommand(args.latin1(i).toLowerCase());
    if (command === null) continue;
    yield command;
    if (command.subcommands !== null) yield* command.subcommands.values();
  }
}

/** LATENCY HELP */
export function latencyHelp(): void {
  replyHelp('LATENCY', [
    ['DOCTOR', 'What was slow, and what can be done about it.'],
    ['GRAPH <event>', 'The samples of an event as a graph of characters.'],
    ['HISTORY <event>', 'The samples of an event: Unix time and milliseconds.'],
    ['LATEST', 'The last sample and the longest time of every event.'],
    [
      'RESET [<event> ...]',
      'Forget the samples of one or more events.',
      '(default: those of all events)',
    ],
    [
      'HISTOGRAM [COMMAND ...]',
      'How many calls of the commands took up to how many microseconds.',
      'Without names, of all commands that were called.',
    ],
  ]);
}

// Handlers of INFO and TIME.
import { args } from '../../../protocol/arguments.js';
import { reply } from '../../../protocol/reply_writer.js';
import type { Client } from '../../client.js';
import { infoText } from '../../info/info_sections.js';
import { infoSource } from '../../info_facts.js';

/** INFO [section ...] */
export function info(_client: Client): void {
  const names: string[] = [];
  for (let i = 1; i < args.count; i++) names.push(args.latin1(i));
  reply.verbatim(infoText(infoSource, names), 'txt');
}

/** The wall clock counts milliseconds only: the monotonic one, set by it, counts the rest. */
let originMillis = performance.timeOrigin;
const CLOCKS_APART_MILLIS_MAX = 2;

function nowMicros(): number {
  const coarse = Date.now();
  const precise = originMillis + performance.now();
  if (Math.abs(precise - coarse) <= CLOCKS_APART_MILLIS_MAX) return Math.floor(precise * 1000);
  originMillis += coarse - precise; // the wall clock was set
  return coarse * 1000;
}

/** TIME: Unix seconds, and the microseconds of the present one. */
export function time(): void {
  const micros = nowMicros();
  reply.array(2);
  reply.bulkLatin1(String(Math.floor(micros / 1e6)));
  reply.bulkLatin1(String(micros % 1e6));
}

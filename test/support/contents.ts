// What a key holds, of whatever type, as plain values to compare. Import it as run_command.ts: after
// openTestArena() and createHeap().
import type { Plain } from './reply.js';
import { call } from './run_command.js';

/** Of so many fields at once: a call's arguments are on the stack. */
const FIELDS_MAX = 10_000;

function inParts(fields: readonly string[], read: (some: string[]) => Plain): Plain {
  const parts: Plain[] = [];
  for (let i = 0; i < fields.length; i += FIELDS_MAX)
    parts.push(read(fields.slice(i, i + FIELDS_MAX)));
  return parts;
}

function sorted(reply: Plain): string[] {
  return [...(reply as string[])].sort();
}

/** The value of a key, in an order that does not depend on where its elements lie; null: no key. */
export function contents(key: string): Plain {
  switch (call('TYPE', key)) {
    case 'string':
      return call('GET', key);
    case 'list':
      return call('LRANGE', key, 0, -1);
    case 'set':
      return sorted(call('SMEMBERS', key));
    case 'stream':
      return call('XINFO', 'STREAM', key, 'FULL', 'COUNT', 0);
    case 'zset':
      return call('ZRANGE', key, 0, -1, 'WITHSCORES');
    case 'hash':
      return inParts(sorted(call('HKEYS', key)), (fields) => [
        fields,
        call('HMGET', key, ...fields),
        call('HPEXPIRETIME', key, 'FIELDS', fields.length, ...fields),
      ]);
    default:
      return null;
  }
}

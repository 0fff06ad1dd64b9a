// String and bit commands at the limits of size, where the comparison with redis-server does not go
// because both would need gigabytes.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Arg, RawClient } from '../support/raw_client.js';
import { show } from '../support/reply.js';
import { spawnServer, type TestServer } from '../support/spawn_server.js';

const MAX = 512 * 1024 * 1024;
const TOO_LONG = 'error "ERR string exceeds maximum allowed size (proto-max-bulk-len)"';
const BAD_OFFSET = 'error "ERR bit offset is not an integer or out of range"';
const LCS_MEMORY =
  'error "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len"';
const OUT_OF_MEMORY = 'error "OOM command not allowed when used memory > \'maxmemory\'."';

let server: TestServer;
let client: RawClient;

async function ask(...command: Arg[]): Promise<string> {
  return show(await client.ask(command), 200);
}

function startBeforeAll(args: readonly string[]): void {
  beforeAll(async () => {
    server = await spawnServer({ args });
    client = await server.connect();
  });
  afterAll(() => server.stop());
}

describe('strings of 512 MB', () => {
  startBeforeAll([]);

  test('grow to the limit and not beyond', async () => {
    expect(await ask('SETRANGE', 'k', MAX - 1, 'x')).toBe(`integer "${MAX}"`);
    expect(await ask('STRLEN', 'k')).toBe(`integer "${MAX}"`);
    expect(await ask('OBJECT', 'ENCODING', 'k')).toBe('bulk "raw"');
    expect(await ask('APPEND', 'k', 'y')).toBe(TOO_LONG);
    expect(await ask('SETRANGE', 'k', MAX, 'y')).toBe(TOO_LONG);
    expect(await ask('SETRANGE', 'k', '9223372036854775807', 'y')).toBe(TOO_LONG);
    expect(await ask('SETRANGE', 'k', MAX, '')).toBe(`integer "${MAX}"`);
    expect(await ask('GETRANGE', 'k', -2, -1)).toBe('bulk "\\x00x"');
  });

  test('have bits beyond 2^32 - 8', async () => {
    expect(await ask('SETBIT', 'k', MAX * 8 - 1, 1)).toBe('integer "0"');
    expect(await ask('GETBIT', 'k', MAX * 8 - 1)).toBe('integer "1"');
    expect(await ask('SETBIT', 'k', MAX * 8, 1)).toBe(BAD_OFFSET);
    expect(await ask('GETBIT', 'k', MAX * 8)).toBe(BAD_OFFSET);
    expect(await ask('BITCOUNT', 'k')).toBe('integer "5"');
    expect(await ask('BITCOUNT', 'k', MAX * 8 - 1, -1, 'BIT')).toBe('integer "1"');
    expect(await ask('BITPOS', 'k', 1)).toBe(`integer "${MAX * 8 - 7}"`);
    expect(await ask('BITPOS', 'k', 0, MAX - 1)).toBe(`integer "${MAX * 8 - 8}"`);
  });

  test('are combined, and may end in a field that crosses the limit', async () => {
    expect(await ask('BITOP', 'NOT', 'n', 'k')).toBe(`integer "${MAX}"`);
    expect(await ask('BITCOUNT', 'n')).toBe(`integer "${MAX * 8 - 5}"`);
    expect(await ask('BITOP', 'AND', 'n', 'n', 'k')).toBe(`integer "${MAX}"`);
    expect(await ask('BITCOUNT', 'n')).toBe('integer "0"');
    expect(await ask('DEL', 'n')).toBe('integer "1"');
    expect(await ask('BITFIELD', 'k', 'SET', 'u8', MAX * 8 - 1, 255)).toBe('array[integer "128"]');
    expect(await ask('STRLEN', 'k')).toBe(`integer "${MAX + 1}"`);
    expect(await ask('APPEND', 'k', '')).toBe(TOO_LONG);
    expect(await ask('LCS', 'k', 'k')).toBe(LCS_MEMORY);
    expect(await ask('DEL', 'k')).toBe('integer "1"');
  });
});

describe('with proto-max-bulk-len 1mb', () => {
  startBeforeAll(['--proto-max-bulk-len', '1mb']);

  test('all limits follow it', async () => {
    expect(await ask('SETRANGE', 'k', 1024 * 1024, 'x')).toBe(TOO_LONG);
    expect(await ask('SETBIT', 'k', 1024 * 1024 * 8, 1)).toBe(BAD_OFFSET);
    expect(await ask('SETBIT', 'k', 1024 * 1024 * 8 - 1, 1)).toBe('integer "0"');
    expect(await ask('APPEND', 'k', 'x')).toBe(TOO_LONG);
  });

  test('LCS is refused by the size of the table that Redis would make', async () => {
    // (a + 1) * (b + 1) * 4 bytes: 512 * 512 * 4 is 1 MiB.
    await ask('MSET', 'a', 'a'.repeat(511), 'b', 'a'.repeat(511), 'c', 'a'.repeat(512));
    expect(await ask('LCS', 'a', 'b', 'LEN')).toBe('integer "511"');
    expect(await ask('LCS', 'a', 'c', 'LEN')).toBe(LCS_MEMORY);
  });
});

describe('in an arena of 32 MB', () => {
  startBeforeAll(['--arena-size', '32mb']);

  test('what does not fit is refused, and the rest goes on', async () => {
    expect(await ask('SET', 'k', 'abc')).toBe('simple "OK"');
    expect(await ask('SETRANGE', 'k', 100_000_000, 'x')).toBe(OUT_OF_MEMORY);
    expect(await ask('SETBIT', 'new', 1_000_000_000, 1)).toBe(OUT_OF_MEMORY);
    expect(await ask('BITFIELD', 'new', 'SET', 'u8', 1_000_000_000, 1)).toBe(OUT_OF_MEMORY);
    expect(await ask('GET', 'k')).toBe('bulk "abc"');
    expect(await ask('EXISTS', 'new')).toBe('integer "0"');
    const half = Buffer.alloc(12_000_000, 'x');
    expect(await ask('SET', 'large', half)).toBe('simple "OK"');
    expect(await ask('APPEND', 'large', half)).toBe(OUT_OF_MEMORY);
    expect(await ask('MSET', 'k', 'new', 'other', half)).toBe(OUT_OF_MEMORY);
    expect(await ask('BITOP', 'NOT', 'k', 'large')).toBe(OUT_OF_MEMORY);
    expect(await ask('STRLEN', 'large')).toBe(`integer "${half.length}"`);
    expect(await ask('MGET', 'k', 'other')).toBe('array[bulk "abc", null]');
    expect(await ask('DEL', 'large')).toBe('integer "1"');
    expect(await ask('MSET', 'k', 'new', 'other', half)).toBe('simple "OK"');
  });
});

// `stillframe verify` and `stillframe inspect` on checkpoints that a server wrote: good ones, damaged
// ones, and files that are nothing of the kind. Damage is tried exhaustively where a check runs without
// a process of its own.
import {
  closeSync,
  copyFileSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { native } from '../../native/index.js';
import { readCommand } from '../../server/cli.js';
import { openCheckpoint } from '../../server/tools/checkpoint_tool.js';
import { Progress } from '../../server/tools/progress.js';
import { isTool } from '../../server/tools/tools.js';
import { checkBlocks } from '../../storage/checkpoint/check_blocks.js';
import {
  encodeTail,
  FOOTER_BYTES,
  type Manifest,
  readManifest,
} from '../../storage/checkpoint/snapshot_format.js';
import {
  EXTENT_BYTES,
  EXTENT_ENTRY_WORDS,
  EXTENT_TABLE_WORD,
  ROOT_RETIRED_COUNT,
} from '../../storage/memory/layout.js';
import { Random } from '../support/random.js';
import { runTool, type ToolResult } from '../support/run_tool.js';
import { STILLFRAME_MAIN, spawnServer, temporaryFolder } from '../support/spawn_server.js';

const BLOCK_BYTES = native.constants.checksumBlockBytes;
const FAR = 4_102_444_800_000;

let folder: string;
/** Two checkpoints of one server: `good` is the newer one, with the contents below. */
let good: string;
let older: string;
let scratch: string;
let manifest: Manifest;

beforeAll(async () => {
  folder = temporaryFolder();
  scratch = join(folder, 'scratch.still');
  const server = await spawnServer({ kind: 'stillframe', dir: folder });
  const client = await server.connect();
  for (let i = 0; i < 500; i++) await client.call('SET', `key:${i}`, `value ${i}`);
  for (let i = 0; i < 20; i++) await client.call('SET', `soon:${i}`, 'x', 'PXAT', FAR + i);
  await client.call('SAVE');
  await client.call('SET', 'large\n\xff', 'x'.repeat(5_000_000));
  await client.call('SET', `long ${'k'.repeat(5000)}`, 'y'.repeat(100_000));
  await client.call('SELECT', 3);
  for (let i = 0; i < 30; i++) await client.call('SET', `n${i}`, i, 'PXAT', FAR);
  // A hole in the middle of the file: an extent that is free at the cut.
  await client.call('SET', 'hole', 'z'.repeat(3_000_000));
  await client.call('SET', 'behind', 'z'.repeat(5_000_000));
  await client.call('DEL', 'hole');
  await client.call('SAVE');
  await server.stop();
  older = join(folder, 'checkpoints/0000000001.still');
  good = join(folder, 'checkpoints/0000000002.still');
  manifest = readManifest(good);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function tool(...args: string[]): Promise<ToolResult> {
  return runTool(process.execPath, [STILLFRAME_MAIN, ...args]);
}

/** What is wrong with a file, by the checks that need no arena; [] when they find nothing. */
function problemsOf(path: string): readonly string[] {
  let file = -1;
  try {
    const checkpoint = openCheckpoint(path);
    file = checkpoint.file;
    return checkBlocks(file, checkpoint.manifest, 5, () => {}).problems;
  } catch (error) {
    return [(error as Error).message];
  } finally {
    if (file >= 0) closeSync(file);
  }
}

/** Changes bits of one byte of the scratch file where it lies; the same again takes it back. */
function flip(offset: number, pattern: number): void {
  const file = openSync(scratch, 'r+');
  const byte = Buffer.alloc(1);
  readSync(file, byte, 0, 1, offset);
  byte[0]! ^= pattern;
  writeSync(file, byte, 0, 1, offset);
  closeSync(file);
}

/** The good checkpoint with a change to its data, and all checksums made right again. */
function resealed(change: (data: Buffer) => void, facts: Partial<Manifest> = {}): string {
  const bytes = Buffer.from(readFileSync(good).subarray(0, manifest.tableOffset));
  change(bytes);
  const table = Buffer.alloc(manifest.tableBytes);
  for (let block = 0; block * BLOCK_BYTES < bytes.length; block++) {
    if (manifest.extents[Math.floor((block * BLOCK_BYTES) / EXTENT_BYTES)] === 0) continue;
    const data = bytes.subarray(block * BLOCK_BYTES, (block + 1) * BLOCK_BYTES);
    table.writeUInt32LE(native.crc32c(data), block * 4);
  }
  const tail = encodeTail({ ...manifest, ...facts, tableChecksum: native.crc32c(table) });
  writeFileSync(scratch, Buffer.concat([bytes, table, tail]));
  return scratch;
}

describe('verify', () => {
  test('a good file: one line, exit code 0, and the file stays as it was', async () => {
    const before = { bytes: readFileSync(good), time: statSync(good).mtimeMs };
    const { code, stdout, stderr } = await tool('verify', good);
    expect(stdout).toMatch(/^.*0000000002\.still: good: checkpoint 2 of \S+Z, 553 keys, .*\n$/);
    expect(code).toBe(0);
    expect(stderr.split('\n').slice(0, -1)).toEqual([
      `${good}: footer and manifest are good`,
      expect.stringMatching(/: block table and checksums of \d+ blocks are good$/),
      expect.stringMatching(/: heap is good: 553 keys, \d+ objects$/),
    ]);
    expect(readFileSync(good).equals(before.bytes)).toBe(true);
    expect(statSync(good).mtimeMs).toBe(before.time);
  });

  test('a directory: every checkpoint in it or in its checkpoints/', async () => {
    for (const path of [folder, join(folder, 'checkpoints')]) {
      const { code, stdout } = await tool('verify', path);
      expect(stdout.split('\n').slice(0, -1)).toEqual([
        expect.stringMatching(/0000000002\.still: good: /),
        expect.stringMatching(/0000000001\.still: good: .* 520 keys/),
      ]);
      expect(code).toBe(0);
    }
  });

  test('a directory with a damaged one among good ones', async () => {
    const directory = join(folder, 'mixed');
    mkdirSync(join(directory, 'checkpoints'), { recursive: true });
    copyFileSync(older, join(directory, '0000000001.still'));
    const damaged = join(directory, 'checkpoints/0000000002.still');
    copyFileSync(good, damaged);
    truncateSync(damaged, statSync(good).size - 1);
    const { code, stdout } = await tool('verify', directory);
    expect(stdout).toMatch(/0000000001\.still: good: /);
    expect(stdout).toContain(`${damaged}: expected a Stillframe footer`);
    expect(stdout).toContain(`${directory}: 1 of 2 checkpoints are not good`);
    expect(code).toBe(1);
  });

  test('what is no checkpoint is refused by name', async () => {
    const text = join(folder, 'text.still');
    writeFileSync(text, 'a text of another program, long enough for a footer\n'.repeat(4));
    const empty = join(folder, 'empty.still');
    writeFileSync(empty, '');
    const bare = join(folder, 'bare');
    mkdirSync(bare);
    for (const [path, problem] of [
      [text, /expected a Stillframe footer \("STILLEND"\) at its end, found /],
      [empty, /expected at least 64 bytes, found 0/],
      [bare, /expected checkpoints .*, found none/],
      [join(folder, 'absent'), /no such file/],
      ['/dev/null', /found another kind of file/],
    ] as const) {
      const { code, stdout } = await tool('verify', path);
      expect(stdout).toMatch(problem);
      expect(stdout.startsWith(`${path}: `)).toBe(true);
      expect(stdout.split('\n')).toHaveLength(2);
      expect(code).toBe(1);
    }
  });

  test('every bit of footer and manifest', () => {
    const bytes = readFileSync(good);
    const first = manifest.tableOffset + manifest.tableBytes;
    expect(bytes.length - first).toBeGreaterThan(FOOTER_BYTES + 100);
    // The tail alone, behind a hole: whoever reads it looks at nothing else.
    const accepted: number[] = [];
    const file = openSync(scratch, 'w');
    closeSync(file);
    truncateSync(scratch, first);
    for (let offset = first; offset < bytes.length; offset++) {
      for (let bit = 0; bit < 8; bit++) {
        const tail = Buffer.from(bytes.subarray(first));
        tail[offset - first] = tail[offset - first]! ^ (1 << bit);
        truncateSync(scratch, first);
        writeFileSync(scratch, tail, { flag: 'a' });
        try {
          readManifest(scratch);
          accepted.push(offset);
        } catch (error) {
          expect((error as Error).message).toMatch(/expected .*, found /);
        }
      }
    }
    expect(accepted).toEqual([]);
  });

  test('every bit of the block table', () => {
    copyFileSync(good, scratch);
    for (let bit = 0; bit < manifest.tableBytes * 8; bit++) {
      flip(manifest.tableOffset + (bit >>> 3), 1 << (bit & 7));
      const problems = problemsOf(scratch);
      flip(manifest.tableOffset + (bit >>> 3), 1 << (bit & 7));
      if (problems.length === 1 && /^block table: expected checksum /.test(problems[0]!)) continue;
      throw new Error(`bit ${bit} of the table: ${JSON.stringify(problems)}`);
    }
    expect(problemsOf(scratch)).toEqual([]);
  });

  test('bytes of the data, also where the checkpoint has none: the block is named', () => {
    const random = new Random(7);
    copyFileSync(good, scratch);
    expect([...manifest.extents]).toContain(0);
    for (let round = 0; round < 60; round++) {
      const offset = random.below(manifest.tableOffset);
      const pattern = 1 << random.below(8);
      flip(offset, pattern);
      const problems = problemsOf(scratch);
      flip(offset, pattern);
      const block = Math.floor(offset / BLOCK_BYTES);
      expect(problems).toHaveLength(1);
      expect(problems[0]).toContain(`block ${block} at ${block * BLOCK_BYTES}: expected `);
    }
  });

  test('truncated at any place, or longer than it was', () => {
    const random = new Random(8);
    const size = statSync(good).size;
    const places = Array.from({ length: 40 }, () => random.below(size));
    for (const length of [...places, 0, 1, size - FOOTER_BYTES, size - 1, size + 1]) {
      copyFileSync(good, scratch);
      truncateSync(scratch, length);
      expect(problemsOf(scratch), `${length} bytes`).toHaveLength(1);
    }
  });

  test('collections, and what was still to be freed in steps', async () => {
    const data = temporaryFolder();
    const server = await spawnServer({ kind: 'stillframe', dir: data });
    const client = await server.connect();
    const members = Array.from({ length: 3000 }, (_, i) => `member:${i}`);
    const pairs = members.flatMap((member, i) => [i % 9, member]);
    for (const database of [1, 0]) {
      await client.call('SELECT', database);
      for (const name of ['kept', 'gone']) {
        await client.call('SADD', `set:${name}`, ...members);
        await client.call('ZADD', `sorted:${name}`, ...pairs);
        await client.call('HSET', `hash:${name}`, ...pairs.map((item) => `${item}.`).reverse());
        await client.call('HPEXPIREAT', `hash:${name}`, FAR, 'FIELDS', 1, 'member:7.');
        for (let i = 0; i < 30; i++) {
          await client.call('RPUSH', `list:${name}`, ...members, 'x'.repeat(5000));
        }
      }
    }
    const gone = ['set', 'sorted', 'hash', 'list'].map((type) => `${type}:gone`);
    // In one turn of the server's loop: what is freed in steps waits for the next one.
    await client.pipeline([['DEL', ...gone], ['SWAPDB', 0, 1], ['FLUSHDB'], ['SAVE']]);
    await server.stop();
    const path = join(data, 'checkpoints/0000000001.still');
    expect(readFileSync(path).readInt32LE(ROOT_RETIRED_COUNT * 4)).toBeGreaterThan(0);
    const { stdout, code } = await tool('verify', path);
    expect(stdout).toContain(': good: checkpoint 1');
    expect(code).toBe(0);
    rmSync(data, { recursive: true });
  });

  test('a damaged block: checksums, no walk, exit code 1', async () => {
    copyFileSync(good, scratch);
    flip(3 * BLOCK_BYTES + 5, 4);
    const { code, stdout, stderr } = await tool('verify', scratch);
    expect(stdout).toMatch(
      /^.*: block 3 at 196608: expected checksum 0x[0-9a-f]{8}, found 0x[0-9a-f]{8}\n$/,
    );
    expect(stderr).toContain('the heap is not walked');
    expect(code).toBe(1);
  });

  test('many damaged blocks: twenty lines and a sum', async () => {
    copyFileSync(good, scratch);
    for (let block = 0; block < 32; block++) flip(block * BLOCK_BYTES, 1);
    const { stdout } = await tool('verify', scratch);
    const lines = stdout.split('\n').slice(0, -1);
    expect(lines).toHaveLength(21);
    expect(lines[20]).toBe(`${scratch}: 12 more blocks are damaged`);
  });

  test('a heap that is wrong under right checksums is found by the walk', async () => {
    const used = (EXTENT_TABLE_WORD + 4 * EXTENT_ENTRY_WORDS + 1) * 4;
    const cases: [string, RegExp][] = [
      [
        resealed((data) => data.writeInt32LE(data.readInt32LE(used) + 1, used)),
        /: heap: extent 4: \d+ slots in use, the table says \d+$/,
      ],
    ];
    for (const [path, problem] of cases) {
      const { code, stdout } = await tool('verify', path);
      expect(stdout.trimEnd()).toMatch(problem);
      expect(code).toBe(1);
    }
    const lies: [Partial<Manifest>, RegExp][] = [
      [{ keys: manifest.keys.map((keys, i) => (i === 3 ? keys + 1 : keys)) }, /keys in database 3/],
      [{ epoch: 9 }, /checkpoint number in the root page: expected 9, found 2/],
      [{ usedBytes: manifest.usedBytes - 16 }, /bytes in use: expected \d+, found \d+/],
    ];
    for (const [facts, problem] of lies) {
      const { code, stdout } = await tool(
        'verify',
        resealed(() => {}, facts),
      );
      expect(stdout).toMatch(problem);
      expect(code).toBe(1);
    }
    expect(
      (
        await tool(
          'verify',
          resealed(() => {}),
        )
      ).code,
    ).toBe(0);
  });
});

describe('inspect', () => {
  test('as JSON: exact numbers', async () => {
    const { code, stdout, stderr } = await tool('inspect', '--json', good);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({
      file: good,
      checkpoint: 2,
      formatVersion: manifest.formatVersion,
      serverVersion: manifest.serverVersion,
      createdMillis: manifest.createdMillis,
      fileBytes: statSync(good).size,
      usedBytes: manifest.usedBytes,
      keys: 553,
      expiringKeys: 50,
      databases: [
        { index: 0, keys: 522, expiringKeys: 20, types: [{ type: 'string', keys: 522 }] },
        { index: 3, keys: 31, expiringKeys: 30, types: [{ type: 'string', keys: 31 }] },
      ],
    });
    expect(report.diskBytes).toBeLessThan(report.fileBytes);
    expect(report.biggestKeys).toHaveLength(10);
    expect(report.biggestKeys[0]).toMatchObject({ key: '"large\\n\\xff"', database: 0 });
    expect(report.biggestKeys[1]).toMatchObject({ key: '"behind"', database: 3 });
    expect(report.biggestKeys[2]).toMatchObject({ keyBytes: 5005, isShortened: true });
    expect(report.biggestKeys[2].bytes).toBeGreaterThan(105_000);
    const sum = (name: string): number =>
      report.memory.reduce((total: number, row: Record<string, number>) => total + row[name]!, 0);
    expect(sum('extents') * EXTENT_BYTES).toBe(manifest.dataBytes);
    const metadata = report.memory.find((row: { kind: string }) => row.kind === 'metadata');
    expect(sum('usedBytes') - metadata.usedBytes).toBe(manifest.usedBytes);
  });

  test('as text', async () => {
    const { code, stdout } = await tool('inspect', good);
    expect(code).toBe(0);
    for (const line of [
      /^ {2}checkpoint +2, taken \d{4}-\d\d-\d\dT\S+Z$/m,
      /^ {2}written by +Stillframe \S+, file format \d+$/m,
      /^ {2}keys +553, of which 50 expire$/m,
      /^ {2}db3 +all +31 +30$/m,
      /^ {2}\S+ +db0 +string +"large\\n\\xff"$/m,
      /^ {2}\S+ +db0 +string +"long k{95}"\.\.\. \(5005 bytes\)$/m,
      /^ {2}runs +objects +\d+ +\S+ +\S+$/m,
    ]) {
      expect(stdout).toMatch(line);
    }
  });

  test('what is no checkpoint, and a heap that cannot be walked', async () => {
    const refused = await tool('inspect', join(folder, 'absent'));
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toMatch(/absent: .*no such file/);
    const foreign = resealed((data) => data.writeInt32LE(0, 0));
    const unwalkable = await tool('inspect', foreign);
    expect(unwalkable).toMatchObject({ code: 1, stdout: '' });
    expect(unwalkable.stderr).toMatch(/the root page's magic is 0, expected .*stillframe verify/);
  });
});

describe('the command line', () => {
  test('verify and inspect are tools, ./verify is a configuration file', () => {
    expect(['verify', 'inspect', './verify', 'tools', undefined].filter(isTool)).toEqual([
      'verify',
      'inspect',
    ]);
    expect(readCommand(['./verify'])).toMatchObject({ kind: 'refuse' });
  });

  test('wrong use is one line on standard error and exit code 1; --help is none', async () => {
    for (const [args, problem] of [
      [['verify'], /^stillframe: 'verify': expected one path, found 0\. Usage: .*\n$/],
      [['verify', 'a', 'b'], /expected one path, found 2/],
      [['inspect', '--all', 'a'], /'inspect --all': unknown option/],
    ] as const) {
      const { code, stdout, stderr } = await tool(...args);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toMatch(problem);
    }
    const help = await tool('verify', '--help');
    expect(help).toMatchObject({ code: 0, stderr: '' });
    expect(help.stdout).toMatch(/^Usage: stillframe verify FILE\|DIR\n/);
    expect((await tool('--help')).stdout).toContain('stillframe inspect [--json] FILE');
  });
});

describe('progress', () => {
  function record(isTTY: boolean): string[] {
    const written: string[] = [];
    const stream = {
      isTTY,
      write: (text: string | Uint8Array) => {
        written.push(String(text));
        return true;
      },
    };
    const progress = new Progress('file', stream);
    progress.begin('heap', 200);
    progress.update(100);
    progress.end('heap is good');
    return written;
  }

  test('a bar that goes away again on a terminal, a line elsewhere', () => {
    expect(record(true)).toEqual([`\r\x1b[K[${'.'.repeat(30)}] 0 % heap`, '\r\x1b[K']);
    expect(record(false)).toEqual(['file: heap is good\n']);
  });
});

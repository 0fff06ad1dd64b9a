// `stillframe inspect FILE`: what is in a checkpoint, without a server.
//
// The file is mapped as the arena and its heap is walked as it lies; checksums are the business of
// `verify`, and a heap that cannot be walked says so. Text for people, JSON for programs: the report
// in checkpoint_report.ts is the JSON.
import { closeSync, fstatSync } from 'node:fs';
import { humanBytes } from '../info/memory_fields.js';
import type { HeapReport, MemoryUse } from './checkpoint_report.js';
import { type OpenCheckpoint, openCheckpoint, problemLine, useAsArena } from './checkpoint_tool.js';
import type { Tool } from './tool.js';

const HELP = `Usage: stillframe inspect [--json] FILE

Says what is in a checkpoint: versions, time, sizes, keys by database and type, keys that
expire, the biggest keys, memory by kind of extent. Needs no server and changes nothing.
Checksums are not checked: see stillframe verify. Exit code 0, or 1 for a file that cannot
be read.

  --json
      Print one JSON object; sizes are in bytes, times in milliseconds of Unix time
`;

export const inspectTool: Tool = { help: HELP, options: ['--json'], run: inspect };

async function inspect(path: string, options: ReadonlySet<string>): Promise<number> {
  try {
    const checkpoint = openCheckpoint(path);
    try {
      const report = { ...describeFile(checkpoint), ...(await describeHeap(checkpoint)) };
      process.stdout.write(
        options.has('--json') ? `${JSON.stringify(report, null, 2)}\n` : reportText(report),
      );
      return 0;
    } finally {
      closeSync(checkpoint.file);
    }
  } catch (error) {
    process.stderr.write(`${problemLine(path, error)}\n`);
    return 1;
  }
}

/** What footer, manifest and file system say. */
function describeFile({ path, file, manifest }: OpenCheckpoint) {
  const { size, blocks } = fstatSync(file);
  return {
    file: path,
    checkpoint: manifest.epoch,
    createdMillis: manifest.createdMillis,
    serverVersion: manifest.serverVersion,
    formatVersion: manifest.formatVersion,
    fileBytes: size,
    /** Without the holes of the file. */
    diskBytes: blocks * 512,
    arenaBytes: manifest.dataBytes,
    usedBytes: manifest.usedBytes,
    pages: manifest.pages,
  };
}

async function describeHeap(checkpoint: OpenCheckpoint): Promise<HeapReport> {
  useAsArena(checkpoint);
  const { reportHeap } = await import('./checkpoint_report.js');
  try {
    return reportHeap();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`the heap cannot be walked (${reason}): see stillframe verify`);
  }
}

type Report = ReturnType<typeof describeFile> & HeapReport;

// --- text ----------------------------------------------------------------------------------------

function reportText(report: Report): string {
  const { databases, biggestKeys, memory } = report;
  const facts: [string, string][] = [
    ['file', report.file],
    ['checkpoint', `${report.checkpoint}, taken ${new Date(report.createdMillis).toISOString()}`],
    ['written by', `Stillframe ${report.serverVersion}, file format ${report.formatVersion}`],
    ['size', `${withUnit(report.fileBytes)}, on disk ${withUnit(report.diskBytes)}`],
    ['in use', `${withUnit(report.usedBytes)} in ${report.pages} pages`],
    ['keys', `${report.keys}, of which ${report.expiringKeys} expire`],
  ];
  const sections = [
    table(facts),
    'Keys by database and type',
    table([
      ['database', 'type', 'keys', 'expire', 'memory'],
      ...databases.flatMap(({ index, keys, expiringKeys, types }) => [
        [`db${index}`, 'all', String(keys), String(expiringKeys), ''],
        ...types.map((type) => ['', type.type, String(type.keys), '', humanBytes(type.bytes)]),
      ]),
    ]),
    'Biggest keys',
    table([
      ['memory', 'database', 'type', 'key'],
      ...biggestKeys.map((key) => [
        humanBytes(key.bytes),
        `db${key.database}`,
        key.type,
        key.isShortened ? `${key.key}... (${key.keyBytes} bytes)` : key.key,
      ]),
    ]),
    'Memory by kind of extent',
    table([['kind', 'holds', 'extents', 'bytes', 'in use'], ...memory.map(memoryRow)]),
  ];
  return `${sections.join('\n\n')}\n`;
}

function memoryRow({ kind, holds, extents, bytes, usedBytes }: MemoryUse): string[] {
  return [kind, holds, String(extents), humanBytes(bytes), humanBytes(usedBytes)];
}

function withUnit(bytes: number): string {
  return `${bytes} bytes (${humanBytes(bytes)})`;
}

/** Rows with their columns in line; the last one is not padded. */
function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, cell.length);
    });
  }
  return rows
    .map((row) => `  ${row.map((cell, i) => cell.padEnd(widths[i]!)).join('  ')}`.trimEnd())
    .join('\n');
}

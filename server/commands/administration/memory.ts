// MEMORY: what memory is used for. The numbers are those of the arena: "allocated" are slots and pages
// of live objects, "active" the extents they were taken from.
import { args } from '../../../protocol/arguments.js';
import * as errors from '../../../protocol/error_replies.js';
import { int64 } from '../../../protocol/number_text.js';
import { reply } from '../../../protocol/reply_writer.js';
import { databaseCount } from '../../../storage/heap.js';
import { entryMemory } from '../../../storage/keyspace/entries.js';
import { findStored, keyCount } from '../../../storage/keyspace/keyspace.js';
import { dropEmptyCursors } from '../../../storage/memory/allocator.js';
import { extentCount } from '../../../storage/memory/arena.js';
import {
  extentKind,
  extentSizeClass,
  extentUsed,
  KIND_FREE,
  KIND_METADATA,
  KIND_PAGES,
  KIND_RUN,
  KIND_SLAB,
  releaseFreeExtents,
} from '../../../storage/memory/extents.js';
import { databaseRoot, EXTENT_BYTES, NULL_REF } from '../../../storage/memory/layout.js';
import { SIZE_CLASSES, slotCount, slotGranules } from '../../../storage/memory/size_classes.js';
import { INDEX_BYTES_PER_ENTRY } from '../../../storage/structures/entries.js';
import { expiresCount } from '../../../storage/structures/expiry_index.js';
import { tableBytes } from '../../../storage/structures/hash_table.js';
import type { Client } from '../../client.js';
import { allClients, queuedBytes } from '../../clients.js';
import { defragmentNow } from '../../defragmentation.js';
import type { MemoryFacts } from '../../info/info_source.js';
import { humanBytes } from '../../info/memory_fields.js';
import { memoryFacts } from '../../info_facts.js';
import { replyError } from '../../reply_error.js';
import { replyHelp } from '../arguments/help.js';
import { readInt64 } from '../arguments/integer_arguments.js';

/** MEMORY USAGE key [SAMPLES count]: exact for every type, so samples are not needed. */
export function memoryUsage(client: Client): void {
  for (let i = 3; i < args.count; i += 2) {
    if (!args.equals(i, 'samples') || i + 1 === args.count) {
      replyError(errors.SYNTAX_ERROR);
      return;
    }
    if (!readInt64(i + 1)) return;
    if (int64.hi < 0) {
      replyError(errors.SYNTAX_ERROR);
      return;
    }
  }
  const { buffer, offsets, lengths } = args;
  const ref = findStored(client.database, buffer, offsets[2]!, lengths[2]!);
  if (ref === NULL_REF) reply.null();
  else reply.integer(entryMemory(ref));
}

/** MEMORY PURGE: free extents go back to the kernel at once, not step by step; what compaction can free
 *  follows in the background. */
export function memoryPurge(): void {
  dropEmptyCursors();
  releaseFreeExtents(extentCount);
  defragmentNow();
  reply.ok();
}

/** MEMORY STATS, with Redis's fields; what Stillframe has not is 0. */
export function memoryStats(): void {
  const facts = memoryFacts();
  const mark = reply.deferMap();
  let fields = 0;
  const integer = (name: string, value: number): void => {
    reply.bulkLatin1(name);
    reply.integer(Math.round(value));
    fields++;
  };
  const double = (name: string, value: number): void => {
    reply.bulkLatin1(name);
    reply.double(value);
    fields++;
  };
  integer('peak.allocated', facts.usedBytesPeak);
  integer('total.allocated', facts.usedBytes);
  integer('startup.allocated', facts.startupBytes);
  integer('replication.backlog', 0);
  integer('clients.slaves', 0);
  integer('clients.normal', facts.clientBytes);
  integer('cluster.links', 0);
  integer('aof.buffer', 0);
  integer('lua.caches', 0);
  integer('functions.caches', 0);
  let keys = 0;
  for (let i = 0; i < databaseCount(); i++) {
    const count = keyCount(databaseRoot(i));
    if (count === 0) continue;
    keys += count;
    replyDatabaseOverhead(i);
    fields++;
  }
  const dataset = Math.max(0, facts.usedBytes - facts.overheadBytes);
  const net = facts.usedBytes - facts.startupBytes;
  integer('overhead.total', facts.overheadBytes);
  integer('keys.count', keys);
  integer('keys.bytes-per-key', keys === 0 ? 0 : net / keys);
  integer('dataset.bytes', dataset);
  double('dataset.percentage', percent(dataset, net));
  double('peak.percentage', percent(facts.usedBytes, facts.usedBytesPeak));
  integer('allocator.allocated', facts.usedBytes);
  integer('allocator.active', facts.claimedBytes);
  integer('allocator.resident', facts.claimedBytes);
  double('allocator-fragmentation.ratio', ratio(facts.claimedBytes, facts.usedBytes));
  integer('allocator-fragmentation.bytes', facts.claimedBytes - facts.usedBytes);
  double('allocator-rss.ratio', 1);
  integer('allocator-rss.bytes', 0);
  double('rss-overhead.ratio', ratio(facts.residentBytes, facts.claimedBytes));
  integer('rss-overhead.bytes', facts.residentBytes - facts.claimedBytes);
  double('fragmentation', ratio(facts.residentBytes, facts.usedBytes));
  integer('fragmentation.bytes', facts.residentBytes - facts.usedBytes);
  reply.settle(mark, fields);
}

function replyDatabaseOverhead(index: number): void {
  const database = databaseRoot(index);
  reply.bulkLatin1(`db.${index}`);
  reply.map(3);
  reply.bulkLatin1('overhead.hashtable.main');
  reply.integer(tableBytes(database));
  reply.bulkLatin1('overhead.hashtable.expires');
  reply.integer(expiresCount(database) * INDEX_BYTES_PER_ENTRY);
  reply.bulkLatin1('overhead.hashtable.slot-to-keys');
  reply.integer(0);
}

/** 0 when there is nothing to divide by. */
function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

function percent(part: number, whole: number): number {
  return ratio(part * 100, whole);
}

/** Below this there is nothing to say. */
const DOCTOR_BYTES_MIN = 5 * 1024 * 1024;
const PEAK_RATIO_MAX = 1.5;
const FREE_RATIO_MAX = 1.4;
const FREE_BYTES_MAX = 10 * 1024 * 1024;
const CLIENT_BYTES_MAX = 200 * 1024;

/** MEMORY DOCTOR */
export function memoryDoctor(): void {
  const facts = memoryFacts();
  if (facts.usedBytes < DOCTOR_BYTES_MIN) {
    reply.verbatim('There is too little data to say anything about the use of memory.', 'txt');
    return;
  }
  const findings = findProblems(facts);
  const text =
    findings.length === 0
      ? 'No problems with memory were found.'
      : `Found:\n${findings.map((finding) => ` * ${finding}`).join('\n')}\n`;
  reply.verbatim(text, 'txt');
}

function findProblems(facts: MemoryFacts): string[] {
  const found: string[] = [];
  const { usedBytes, usedBytesPeak, claimedBytes, arenaBytes } = facts;
  if (usedBytesPeak > usedBytes * PEAK_RATIO_MAX) {
    found.push(
      `Peak: ${humanBytes(usedBytesPeak)} were in use, now ${humanBytes(usedBytes)}. Free extents ` +
        'go back to the system by themselves, or at once by MEMORY PURGE.',
    );
  }
  const free = claimedBytes - usedBytes;
  if (claimedBytes > usedBytes * FREE_RATIO_MAX && free > FREE_BYTES_MAX) {
    found.push(
      `Fragmentation: ${humanBytes(free)} are free inside extents in use, because objects of many ` +
        'sizes were deleted. New objects of these sizes will fill them; activedefrag or MEMORY PURGE ' +
        'moves what is left together.',
    );
  }
  if (claimedBytes > arenaBytes * 0.9) {
    found.push(
      `Arena: ${humanBytes(claimedBytes)} of ${humanBytes(arenaBytes)} are taken. Writes fail when ` +
        'it is full; arena-size makes it larger at the next start.',
    );
  }
  for (const client of allClients()) {
    const bytes = queuedBytes(client) + client.pending.length;
    if (bytes < CLIENT_BYTES_MAX) continue;
    found.push(`Client ${client.id} (${client.address}): ${humanBytes(bytes)} in its buffers.`);
  }
  return found;
}

const KIND_NAMES: readonly (readonly [kind: number, name: string])[] = [
  [KIND_METADATA, 'metadata'],
  [KIND_SLAB, 'slabs'],
  [KIND_PAGES, 'pages'],
  [KIND_RUN, 'runs'],
  [KIND_FREE, 'free'],
];

/** MEMORY MALLOC-STATS: extents by kind, slots by size. */
export function memoryMallocStats(): void {
  const byKind = new Int32Array(KIND_NAMES.length);
  const extents = new Int32Array(SIZE_CLASSES);
  const used = new Float64Array(SIZE_CLASSES);
  for (let extent = 0; extent < extentCount; extent++) {
    const kind = extentKind(extent);
    byKind[kind]!++;
    if (kind !== KIND_SLAB) continue;
    const sizeClass = extentSizeClass(extent);
    extents[sizeClass]!++;
    used[sizeClass]! += extentUsed(extent);
  }
  const lines = [`arena: ${extentCount} extents of ${EXTENT_BYTES} bytes`];
  for (const [kind, name] of KIND_NAMES) lines.push(`${name}: ${byKind[kind]} extents`);
  lines.push('slot bytes, extents, slots in use, slots:');
  extents.forEach((count, sizeClass) => {
    if (count === 0) return;
    const slots = count * slotCount[sizeClass]!;
    lines.push(`${slotGranules[sizeClass]! * 16} ${count} ${used[sizeClass]} ${slots}`);
  });
  reply.verbatim(`${lines.join('\n')}\n`, 'txt');
}

/** MEMORY HELP */
export function memoryHelp(): void {
  replyHelp('MEMORY', [
    ['DOCTOR', 'What is wrong with memory, if anything.'],
    ['MALLOC-STATS', 'The numbers of the allocator.'],
    ['PURGE', 'Give free memory back to the system, and make some free by moving data together.'],
    ['STATS', 'What memory is used for.'],
    ['USAGE <key> [SAMPLES <count>]', 'Bytes that a key and its value take.'],
  ]);
}

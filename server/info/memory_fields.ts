// INFO memory. Redis's allocator fields describe the arena here:
//
//   allocated   bytes of live objects and metadata      used_memory
//   active      extents that were taken from the arena  2 MiB each, some of it free
//   resident    the same: extents that are not in use are given back to the kernel
import type { Field } from './field.js';
import type { MemoryFacts } from './info_source.js';

/** Bytes as Redis's *_human fields show them: 1023B, 1.50K, 2.00M, 3.25G. */
export function humanBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes}B`;
  let value = bytes / 1024;
  let unit = 0;
  while (value >= 1024 && unit < 4) {
    value /= 1024;
    unit++;
  }
  return `${value.toFixed(2)}${'KMGTP'[unit]}`;
}

/** A quotient with two digits; 0.00 when there is nothing to divide by. */
function ratio(part: number, whole: number): string {
  return (whole === 0 ? 0 : part / whole).toFixed(2);
}

function percent(part: number, whole: number): string {
  return `${ratio(part * 100, whole)}%`;
}

function datasetBytes(facts: MemoryFacts): number {
  return Math.max(0, facts.usedBytes - facts.overheadBytes);
}

/** The fields of INFO memory. */
export const MEMORY_FIELDS: readonly Field<MemoryFacts>[] = [
  ['used_memory', (facts) => facts.usedBytes],
  ['used_memory_human', (facts) => humanBytes(facts.usedBytes)],
  ['used_memory_rss', (facts) => facts.residentBytes],
  ['used_memory_rss_human', (facts) => humanBytes(facts.residentBytes)],
  ['used_memory_peak', (facts) => facts.usedBytesPeak],
  ['used_memory_peak_human', (facts) => humanBytes(facts.usedBytesPeak)],
  ['used_memory_peak_perc', (facts) => percent(facts.usedBytes, facts.usedBytesPeak)],
  ['used_memory_overhead', (facts) => facts.overheadBytes],
  ['used_memory_startup', (facts) => facts.startupBytes],
  ['used_memory_dataset', datasetBytes],
  [
    'used_memory_dataset_perc',
    (facts) => percent(datasetBytes(facts), facts.usedBytes - facts.startupBytes),
  ],
  ['allocator_allocated', (facts) => facts.usedBytes],
  ['allocator_active', (facts) => facts.claimedBytes],
  ['allocator_resident', (facts) => facts.claimedBytes],
  ['total_system_memory', (facts) => facts.machineBytes],
  ['total_system_memory_human', (facts) => humanBytes(facts.machineBytes)],
  ['used_memory_lua', 0],
  ['used_memory_vm_eval', 0],
  ['used_memory_lua_human', '0B'],
  ['used_memory_scripts_eval', 0],
  ['number_of_cached_scripts', 0],
  ['number_of_functions', 0],
  ['number_of_libraries', 0],
  ['used_memory_vm_functions', 0],
  ['used_memory_vm_total', 0],
  ['used_memory_vm_total_human', '0B'],
  ['used_memory_functions', 0],
  ['used_memory_scripts', 0],
  ['used_memory_scripts_human', '0B'],
  ['maxmemory', (facts) => facts.maxmemory],
  ['maxmemory_human', (facts) => humanBytes(facts.maxmemory)],
  ['maxmemory_policy', (facts) => facts.maxmemoryPolicy],
  ['allocator_frag_ratio', (facts) => ratio(facts.claimedBytes, facts.usedBytes)],
  ['allocator_frag_bytes', (facts) => facts.claimedBytes - facts.usedBytes],
  ['allocator_rss_ratio', '1.00'],
  ['allocator_rss_bytes', 0],
  ['rss_overhead_ratio', (facts) => ratio(facts.residentBytes, facts.claimedBytes)],
  ['rss_overhead_bytes', (facts) => facts.residentBytes - facts.claimedBytes],
  ['mem_fragmentation_ratio', (facts) => ratio(facts.residentBytes, facts.usedBytes)],
  ['mem_fragmentation_bytes', (facts) => facts.residentBytes - facts.usedBytes],
  ['mem_not_counted_for_evict', 0],
  ['mem_replication_backlog', 0],
  ['mem_total_replication_buffers', 0],
  ['mem_clients_slaves', 0],
  ['mem_clients_normal', (facts) => facts.clientBytes],
  ['mem_cluster_links', 0],
  ['mem_aof_buffer', 0],
  ['mem_allocator', 'stillframe-arena'],
  ['active_defrag_running', (facts) => facts.defragmentationEffort],
  ['lazyfree_pending_objects', (facts) => facts.lazyfreePendingObjects],
  ['lazyfreed_objects', (facts) => facts.lazyfreedObjects],
  ['arena_size', (facts) => facts.arenaBytes],
];

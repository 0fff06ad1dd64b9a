// INFO persistence. Redis's rdb_* fields tell of checkpoints; its copy-on-write fields of the memory
// that a checkpoint takes beside the arena, which is what a fork's copied pages are there.
// A checkpoint counts pages, not keys, so current_save_keys_* stay 0; current_fork_perc is true.
import type { Field } from './field.js';
import type { PersistenceFacts } from './info_source.js';

function flag(value: boolean): number {
  return value ? 1 : 0;
}

function donePercent(facts: PersistenceFacts): string {
  const { currentPagesDone, currentPagesTotal } = facts;
  const share = currentPagesTotal === 0 ? 0 : currentPagesDone / currentPagesTotal;
  return (share * 100).toFixed(2);
}

/** The fields of INFO persistence. */
export const PERSISTENCE_FIELDS: readonly Field<PersistenceFacts>[] = [
  ['loading', (facts) => flag(facts.isLoading)],
  ['async_loading', 0],
  ['current_cow_peak', (facts) => facts.currentExtraBytesPeak],
  ['current_cow_size', (facts) => facts.currentExtraBytes],
  ['current_cow_size_age', 0],
  ['current_fork_perc', donePercent],
  ['current_save_keys_processed', 0],
  ['current_save_keys_total', 0],
  ['rdb_changes_since_last_save', (facts) => facts.changesSinceLastSave],
  ['rdb_bgsave_in_progress', (facts) => flag(facts.isSaving)],
  ['rdb_last_save_time', (facts) => facts.lastSaveUnixSeconds],
  ['rdb_last_bgsave_status', (facts) => (facts.lastSaveSucceeded ? 'ok' : 'err')],
  ['rdb_last_bgsave_time_sec', (facts) => facts.lastSaveSeconds],
  ['rdb_current_bgsave_time_sec', (facts) => facts.currentSaveSeconds],
  ['rdb_saves', (facts) => facts.saves],
  ['rdb_last_cow_size', (facts) => facts.lastExtraBytesPeak],
  ['rdb_last_load_keys_expired', (facts) => facts.keysExpiredAtLoad],
  ['rdb_last_load_keys_loaded', (facts) => facts.keysLoaded],
  ['aof_enabled', 0],
  ['aof_rewrite_in_progress', 0],
  ['aof_rewrite_scheduled', 0],
  ['aof_last_rewrite_time_sec', -1],
  ['aof_current_rewrite_time_sec', -1],
  ['aof_last_bgrewrite_status', 'ok'],
  ['aof_rewrites', 0],
  ['aof_rewrites_consecutive_failures', 0],
  ['aof_last_write_status', 'ok'],
  ['aof_last_cow_size', 0],
  ['module_fork_in_progress', 0],
  ['module_fork_last_cow_size', 0],
  ['checkpoint_mechanism', (facts) => facts.mechanism],
  ['checkpoint_mechanism_reason', (facts) => facts.mechanismReason],
  ['checkpoint_last_pause_usec', (facts) => facts.lastPauseMicros],
  ['checkpoint_last_duration_usec', (facts) => facts.lastDurationMicros],
  ['checkpoint_last_pages', (facts) => facts.lastPages],
  ['checkpoint_last_faults', (facts) => facts.lastFaults],
  ['checkpoint_last_saved_pages', (facts) => facts.lastSavedPages],
  ['checkpoint_last_overflows', (facts) => facts.lastOverflows],
  ['checkpoint_last_fault_burst_usec', (facts) => facts.lastFaultBurstMicros],
  ['checkpoint_last_relocated_bytes_peak', (facts) => facts.lastRelocatedBytesPeak],
  ['checkpoint_last_extra_bytes_peak', (facts) => facts.lastExtraBytesPeak],
  ['checkpoint_last_file_bytes', (facts) => facts.lastFileBytes],
  ['restore_in_progress', (facts) => flag(facts.isRestoring)],
  ['restore_bytes_total', (facts) => facts.restoreBytesTotal],
  ['restore_bytes_done', (facts) => facts.restoreBytesDone],
  ['restore_last_duration_usec', (facts) => facts.restoreDurationMicros],
];

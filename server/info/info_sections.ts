// INFO: its sections, their fields in Redis 7.0's order, and the text.
//
//   # Server\r\n  name:value\r\n ...   sections are separated by an empty line
//
// Clients and monitoring look fields up by name, so every field of Redis 7.0 is there. A constant
// 0 (or Redis's word for "none") is true: the server has no forks, scripts, replicas, modules,
// cluster or append-only log. What is Stillframe's own comes last in its section.
import { arch, release, type } from 'node:os';
import { REDIS_VERSION, STILLFRAME_VERSION } from '../version.js';
import type { Field } from './field.js';
import type {
  ClientFacts,
  CommandFacts,
  CpuFacts,
  DatabaseFacts,
  InfoSource,
  LatencyFacts,
  ReplicationFacts,
  ServerFacts,
  StatsFacts,
} from './info_source.js';
import { MEMORY_FIELDS } from './memory_fields.js';
import { PERSISTENCE_FIELDS } from './persistence_fields.js';

interface Section {
  readonly title: string;
  /** The name in requests, in lower case. */
  readonly name: string;
  readonly isDefault: boolean;
  lines(source: InfoSource): string[];
}

const MACHINES: Readonly<Record<string, string>> = { x64: 'x86_64', arm64: 'aarch64' };

const SERVER_FIELDS: readonly Field<ServerFacts>[] = [
  ['redis_version', REDIS_VERSION],
  ['redis_git_sha1', '00000000'],
  ['redis_git_dirty', 0],
  ['redis_build_id', 0],
  ['redis_mode', 'standalone'],
  ['os', `${type()} ${release()} ${MACHINES[arch()] ?? arch()}`],
  ['arch_bits', 64],
  ['monotonic_clock', 'POSIX clock_gettime'],
  ['multiplexing_api', 'epoll'],
  ['atomicvar_api', 'c11-builtin'],
  ['gcc_version', '0.0.0'],
  ['process_id', process.pid],
  ['process_supervised', 'no'],
  ['run_id', (facts) => facts.runId],
  ['tcp_port', (facts) => facts.port],
  ['server_time_usec', (facts) => facts.nowMicros],
  ['uptime_in_seconds', (facts) => facts.uptimeSeconds],
  ['uptime_in_days', (facts) => Math.floor(facts.uptimeSeconds / 86400)],
  ['hz', (facts) => facts.hz],
  ['configured_hz', (facts) => facts.configuredHz],
  ['lru_clock', (facts) => Math.floor(facts.nowMicros / 1e6) % 2 ** 24],
  ['executable', (facts) => facts.executable],
  ['config_file', (facts) => facts.configFile],
  ['io_threads_active', 0],
  ['stillframe_version', STILLFRAME_VERSION],
  ['node_version', process.version],
];

const CLIENT_FIELDS: readonly Field<ClientFacts>[] = [
  ['connected_clients', (facts) => facts.connected],
  ['cluster_connections', 0],
  ['maxclients', (facts) => facts.max],
  ['client_recent_max_input_buffer', (facts) => facts.inputBufferBytesMax],
  ['client_recent_max_output_buffer', (facts) => facts.outputBufferBytesMax],
  ['blocked_clients', (facts) => facts.blocked],
  ['tracking_clients', 0],
  ['clients_in_timeout_table', 0],
];

/** Bytes per second as kilobytes with two digits. */
function kilobytes(bytes: number): string {
  return (bytes / 1024).toFixed(2);
}

const STATS_FIELDS: readonly Field<StatsFacts>[] = [
  ['total_connections_received', (facts) => facts.connectionsReceived],
  ['total_commands_processed', (facts) => facts.commandsProcessed],
  ['instantaneous_ops_per_sec', (facts) => Math.round(facts.commandsPerSecond)],
  ['total_net_input_bytes', (facts) => facts.inputBytes],
  ['total_net_output_bytes', (facts) => facts.outputBytes],
  ['total_net_repl_input_bytes', 0],
  ['total_net_repl_output_bytes', 0],
  ['instantaneous_input_kbps', (facts) => kilobytes(facts.inputBytesPerSecond)],
  ['instantaneous_output_kbps', (facts) => kilobytes(facts.outputBytesPerSecond)],
  ['instantaneous_input_repl_kbps', '0.00'],
  ['instantaneous_output_repl_kbps', '0.00'],
  ['rejected_connections', (facts) => facts.connectionsRejected],
  ['sync_full', 0],
  ['sync_partial_ok', 0],
  ['sync_partial_err', 0],
  ['expired_keys', (facts) => facts.expiredKeys],
  ['expired_stale_perc', (facts) => facts.expiredStalePercent.toFixed(2)],
  ['expired_time_cap_reached_count', (facts) => facts.expireCyclesCutShort],
  ['expire_cycle_cpu_milliseconds', (facts) => Math.floor(facts.expireCycleMillis)],
  ['evicted_keys', (facts) => facts.evictedKeys],
  ['evicted_clients', (facts) => facts.evictedClients],
  ['total_eviction_exceeded_time', 0],
  ['current_eviction_exceeded_time', 0],
  ['keyspace_hits', (facts) => facts.keyspaceHits],
  ['keyspace_misses', (facts) => facts.keyspaceMisses],
  ['pubsub_channels', 0],
  ['pubsub_patterns', 0],
  ['pubsubshard_channels', 0],
  ['latest_fork_usec', 0],
  ['total_forks', 0],
  ['migrate_cached_sockets', 0],
  ['slave_expires_tracked_keys', 0],
  ['active_defrag_hits', (facts) => facts.objectsMoved],
  ['active_defrag_misses', (facts) => facts.objectsNotMoved],
  ['active_defrag_key_hits', (facts) => facts.entriesMoved],
  ['active_defrag_key_misses', (facts) => facts.entriesKept],
  ['total_active_defrag_time', (facts) => Math.floor(facts.defragmentationMillis)],
  ['current_active_defrag_time', (facts) => Math.floor(facts.currentDefragmentationMillis)],
  ['tracking_total_keys', 0],
  ['tracking_total_items', 0],
  ['tracking_total_prefixes', 0],
  ['unexpected_error_replies', 0],
  ['total_error_replies', (facts) => facts.errorReplies],
  ['dump_payload_sanitizations', 0],
  ['total_reads_processed', (facts) => facts.readsProcessed],
  ['total_writes_processed', (facts) => facts.writesProcessed],
  ['io_threaded_reads_processed', 0],
  ['io_threaded_writes_processed', 0],
  ['reply_buffer_shrinks', 0],
  ['reply_buffer_expands', 0],
];

const REPLICATION_FIELDS: readonly Field<ReplicationFacts>[] = [
  ['role', 'master'],
  ['connected_slaves', 0],
  ['master_failover_state', 'no-failover'],
  ['master_replid', (facts) => facts.replicationId],
  ['master_replid2', '0'.repeat(40)],
  ['master_repl_offset', 0],
  ['second_repl_offset', -1],
  ['repl_backlog_active', 0],
  ['repl_backlog_size', 1048576],
  ['repl_backlog_first_byte_offset', 0],
  ['repl_backlog_histlen', 0],
];

const CPU_FIELDS: readonly Field<CpuFacts>[] = [
  ['used_cpu_sys', (facts) => facts.systemSeconds.toFixed(6)],
  ['used_cpu_user', (facts) => facts.userSeconds.toFixed(6)],
  ['used_cpu_sys_children', '0.000000'],
  ['used_cpu_user_children', '0.000000'],
  ['used_cpu_sys_main_thread', (facts) => facts.mainThreadSystemSeconds.toFixed(6)],
  ['used_cpu_user_main_thread', (facts) => facts.mainThreadUserSeconds.toFixed(6)],
];

function commandLine({ name, calls, micros, rejected, failed }: CommandFacts): string {
  const perCall = (calls === 0 ? 0 : micros / calls).toFixed(2);
  return (
    `cmdstat_${name}:calls=${calls},usec=${Math.round(micros)},usec_per_call=${perCall},` +
    `rejected_calls=${rejected},failed_calls=${failed}`
  );
}

function latencyLine({ name, percentiles }: LatencyFacts): string {
  const values = percentiles.map(([percent, micros]) => `p${percent}=${micros.toFixed(3)}`);
  return `latency_percentiles_usec_${name}:${values.join(',')}`;
}

function databaseLine({ index, keys, expires, averageTtlMillis }: DatabaseFacts): string {
  return `db${index}:keys=${keys},expires=${expires},avg_ttl=${Math.round(averageTtlMillis)}`;
}

function section<Facts>(
  title: string,
  facts: (source: InfoSource) => Facts,
  fields: readonly Field<Facts>[],
): Section {
  const lines = (source: InfoSource) => {
    const known = facts(source);
    return fields.map(([name, value]) => {
      const shown = typeof value === 'function' ? value(known) : value;
      return `${name}:${oneLine(String(shown))}`;
    });
  };
  return { title, name: title.toLowerCase(), isDefault: true, lines };
}

function listSection<Item>(
  title: string,
  isDefault: boolean,
  items: (source: InfoSource) => Iterable<Item>,
  line: (item: Item) => string,
): Section {
  const lines = (source: InfoSource) => Array.from(items(source), line);
  return { title, name: title.toLowerCase(), isDefault, lines };
}

/** A path may hold anything; a field is one line. */
function oneLine(text: string): string {
  return text.replace(/[\r\n]/g, ' ');
}

const SECTIONS: readonly Section[] = [
  section('Server', (source) => source.server(), SERVER_FIELDS),
  section('Clients', (source) => source.clients(), CLIENT_FIELDS),
  section('Memory', (source) => source.memory(), MEMORY_FIELDS),
  section('Persistence', (source) => source.persistence(), PERSISTENCE_FIELDS),
  section('Stats', (source) => source.stats(), STATS_FIELDS),
  section('Replication', (source) => source.replication(), REPLICATION_FIELDS),
  section('CPU', (source) => source.cpu(), CPU_FIELDS),
  section('Modules', () => null, []),
  listSection('Commandstats', false, (source) => source.commands(), commandLine),
  listSection(
    'Errorstats',
    true,
    (source) => source.errors(),
    ({ prefix, count }) => `errorstat_${prefix}:count=${count}`,
  ),
  listSection('Latencystats', false, (source) => source.latencies(), latencyLine),
  section('Cluster', () => null, [['cluster_enabled', 0]]),
  listSection('Keyspace', true, (source) => source.databases(), databaseLine),
];

/**
 * The text of INFO for the given section names (any case; none means the default ones). `default`,
 * `all` and `everything` are names too; unknown names add nothing. Sections stand in their own
 * order, each once.
 */
export function infoText(source: InfoSource, names: readonly string[]): string {
  const wanted = new Set(names.map((name) => name.toLowerCase()));
  const wantsAll = wanted.has('all') || wanted.has('everything');
  const wantsDefault = wanted.size === 0 || wanted.has('default');
  return SECTIONS.filter(
    ({ name, isDefault }) => wantsAll || (wantsDefault && isDefault) || wanted.has(name),
  )
    .map(({ title, lines }) => [`# ${title}`, ...lines(source), ''].join('\r\n'))
    .join('\r\n');
}

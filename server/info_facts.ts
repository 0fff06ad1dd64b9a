// The facts of INFO, gathered from the rooms that know them, and the rates that are sampled for it.
import { native } from '../native/index.js';
import { isCheckpointRunning } from '../storage/checkpoint/run.js';
import { databaseCount } from '../storage/heap.js';
import { keyCount, keyspaceCounters } from '../storage/keyspace/keyspace.js';
import { denseBytes, usedBytes } from '../storage/memory/allocator.js';
import { arena } from '../storage/memory/arena.js';
import { claimedBytes } from '../storage/memory/extents.js';
import { databaseRoot } from '../storage/memory/layout.js';
import { expiresCount, medianTtlMillis } from '../storage/structures/expiry_index.js';
import { relocated, resetRelocated } from '../storage/structures/relocation.js';
import { retiredCount, retiredCounters } from '../storage/values/retired.js';
import { checkpointStatus } from './checkpoints.js';
import { HELD_BY_BLOCK, HELD_BY_PAUSE } from './client.js';
import { allClients, clientCount, connectionBytes, networkBytes, queuedBytes } from './clients.js';
import { allCommands } from './command_table/command_registry.js';
import { defragmentationEffort, defragmentationMillis } from './defragmentation.js';
import { changes } from './effects.js';
import type {
  ClientFacts,
  CommandFacts,
  DatabaseFacts,
  ErrorFacts,
  InfoSource,
  MemoryFacts,
  PersistenceFacts,
  ServerFacts,
  StatsFacts,
} from './info/info_source.js';
import { readCpuFacts, readMemoryFacts } from './info/process_facts.js';
import { Rate } from './info/rate.js';
import { restoreFacts } from './restore.js';
import { runtime } from './runtime.js';
import { errorCounts, resetStats, stats } from './stats.js';

/** How often rates are sampled. */
const SAMPLE_MILLIS = 100;

const commandRate = new Rate(performance.now());
const inputRate = new Rate(performance.now());
const outputRate = new Rate(performance.now());
let sampledMillis = 0;
let usedBytesPeak = 0;
/** What the reactor had counted at the last CONFIG RESETSTAT. */
const networkBefore = { bytesIn: 0, bytesOut: 0 };

function network(): { bytesIn: number; bytesOut: number } {
  const { bytesIn, bytesOut } = networkBytes();
  return {
    bytesIn: bytesIn - networkBefore.bytesIn,
    bytesOut: bytesOut - networkBefore.bytesOut,
  };
}

/** Part of the periodic work: peaks and rates. */
export function sampleFacts(): void {
  const now = performance.now();
  if (now - sampledMillis < SAMPLE_MILLIS) return;
  sampledMillis = now;
  usedBytesPeak = Math.max(usedBytesPeak, usedBytes());
  const { bytesIn, bytesOut } = network();
  commandRate.sample(stats.commandsProcessed, now);
  inputRate.sample(bytesIn, now);
  outputRate.sample(bytesOut, now);
}

/** CONFIG RESETSTAT. */
export function resetFacts(): void {
  resetStats();
  keyspaceCounters.expired = 0;
  retiredCounters.freed = 0;
  resetRelocated();
  for (const command of allCommands()) command.resetCounters();
  Object.assign(networkBefore, networkBytes());
  usedBytesPeak = usedBytes();
  const now = performance.now();
  for (const rate of [commandRate, inputRate, outputRate]) rate.reset(now);
}

function serverFacts(): ServerFacts {
  const nowMillis = Date.now();
  return {
    runId: runtime.runId,
    port: runtime.config.port,
    nowMicros: nowMillis * 1000,
    uptimeSeconds: Math.floor((nowMillis - runtime.startMillis) / 1000),
    hz: runtime.config.hz,
    configuredHz: runtime.config.hz,
    executable: process.argv[1] ?? process.execPath,
    configFile: runtime.configFile ?? '',
  };
}

function clientFacts(): ClientFacts {
  let inputBufferBytesMax = 0;
  let outputBufferBytesMax = 0;
  let blocked = 0;
  for (const client of allClients()) {
    inputBufferBytesMax = Math.max(inputBufferBytesMax, client.pending.length);
    outputBufferBytesMax = Math.max(outputBufferBytesMax, queuedBytes(client));
    if ((client.held & (HELD_BY_PAUSE | HELD_BY_BLOCK)) !== 0) blocked++;
  }
  return {
    connected: clientCount(),
    max: runtime.config.maxclients,
    inputBufferBytesMax,
    outputBufferBytesMax,
    blocked,
  };
}

/** Memory, also for MEMORY STATS. */
export function memoryFacts(): MemoryFacts {
  const used = usedBytes();
  usedBytesPeak = Math.max(usedBytesPeak, used);
  return {
    usedBytes: used,
    usedBytesPeak,
    overheadBytes: denseBytes(),
    startupBytes: 0, // an empty heap has no objects; its fixed metadata is not counted as used
    claimedBytes: claimedBytes(),
    arenaBytes: arena.bytes,
    clientBytes: connectionBytes(),
    maxmemory: runtime.config.maxmemory,
    maxmemoryPolicy: runtime.config.maxmemoryPolicy,
    defragmentationEffort: defragmentationEffort(),
    lazyfreedObjects: retiredCounters.freed,
    lazyfreePendingObjects: retiredCount(),
    ...readMemoryFacts(),
  };
}

function persistenceFacts(): PersistenceFacts {
  const status = checkpointStatus;
  const isSaving = isCheckpointRunning();
  const current = isSaving ? native.checkpointCounters() : null;
  const { last } = status;
  return {
    isLoading: false,
    changesSinceLastSave: changes.sinceLastSave,
    isSaving,
    lastSaveUnixSeconds: Math.floor(status.lastSaveMillis / 1000),
    lastSaveSucceeded: status.lastSucceeded,
    lastSaveSeconds: status.lastSeconds,
    currentSaveSeconds: isSaving ? Math.floor((Date.now() - status.startedMillis) / 1000) : -1,
    saves: status.saves,
    keysLoaded: status.keysLoaded,
    keysExpiredAtLoad: 0, // a restore keeps them; they expire like all others
    currentPagesDone: current === null ? 0 : current.pagesCopied + current.pagesSaved,
    currentPagesTotal: current?.pagesTotal ?? 0,
    currentExtraBytes: current?.extraBytes ?? 0,
    currentExtraBytesPeak: current?.extraBytesPeak ?? 0,
    mechanism: arena.mechanism,
    mechanismReason: arena.mechanismReason,
    lastPauseMicros: last?.pauseMicros ?? 0,
    lastDurationMicros: last?.durationMicros ?? 0,
    lastPages: last?.pagesTotal ?? 0,
    lastFaults: last?.faults ?? 0,
    lastSavedPages: last?.pagesSaved ?? 0,
    lastOverflows: last?.poolOverflows ?? 0,
    lastFaultBurstMicros: status.lastFaultBurstMicros,
    lastRelocatedBytesPeak: status.lastRelocatedBytesPeak,
    lastExtraBytesPeak: last?.extraBytesPeak ?? 0,
    lastFileBytes: last?.fileBytes ?? 0,
    ...restoreFacts(),
  };
}

function statsFacts(): StatsFacts {
  const { bytesIn, bytesOut } = network();
  return {
    connectionsReceived: stats.connectionsReceived,
    connectionsRejected: stats.connectionsRejected,
    commandsProcessed: stats.commandsProcessed,
    commandsPerSecond: commandRate.mean(),
    inputBytes: bytesIn,
    outputBytes: bytesOut,
    inputBytesPerSecond: inputRate.mean(),
    outputBytesPerSecond: outputRate.mean(),
    expiredKeys: keyspaceCounters.expired,
    expiredStalePercent: 0, // what is due is known exactly and deleted in order
    expireCyclesCutShort: stats.expireCyclesCutShort,
    expireCycleMillis: stats.expireCycleMillis,
    evictedKeys: 0,
    evictedClients: stats.evictedClients,
    keyspaceHits: stats.keyspaceHits,
    keyspaceMisses: stats.keyspaceMisses,
    objectsMoved: relocated.objects,
    objectsNotMoved: relocated.refused,
    entriesMoved: relocated.entriesMoved,
    entriesKept: relocated.entriesKept,
    defragmentationMillis: stats.defragmentationMillis + defragmentationMillis(),
    currentDefragmentationMillis: defragmentationMillis(),
    errorReplies: stats.errorReplies,
    readsProcessed: stats.readsProcessed,
    writesProcessed: stats.writesProcessed,
  };
}

function* commandFacts(): Generator<CommandFacts> {
  for (const { fullName, calls, micros, rejected, failed } of allCommands()) {
    if (calls + rejected + failed > 0) yield { name: fullName, calls, micros, rejected, failed };
  }
}

function* errorFacts(): Generator<ErrorFacts> {
  for (const [prefix, count] of errorCounts) yield { prefix, count };
}

function* databaseFacts(): Generator<DatabaseFacts> {
  for (let index = 0; index < databaseCount(); index++) {
    const database = databaseRoot(index);
    const keys = keyCount(database);
    if (keys === 0) continue;
    const averageTtlMillis = medianTtlMillis(database);
    yield { index, keys, expires: expiresCount(database), averageTtlMillis };
  }
}

export const infoSource: InfoSource = {
  server: serverFacts,
  clients: clientFacts,
  memory: memoryFacts,
  persistence: persistenceFacts,
  stats: statsFacts,
  // Nobody replicates from this server yet, so its history has the name of this run.
  replication: () => ({ replicationId: runtime.runId }),
  cpu: readCpuFacts,
  commands: commandFacts,
  errors: errorFacts,
  latencies: () => [],
  databases: databaseFacts,
};

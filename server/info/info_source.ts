// What INFO needs to know, as one interface: the engine implements it, info_sections.ts prints it.
//
// Each method is called only when its section was asked for, so a costly fact costs only then.
// Counters start at zero with the process or with CONFIG RESETSTAT; times say their unit.

export interface ServerFacts {
  /** 40 hexadecimal digits, new with every start. */
  readonly runId: string;
  readonly port: number;
  readonly nowMicros: number;
  readonly uptimeSeconds: number;
  /** How often a second the periodic work runs now, and how often by configuration. */
  readonly hz: number;
  readonly configuredHz: number;
  /** Absolute paths; '' without a configuration file. */
  readonly executable: string;
  readonly configFile: string;
}

export interface ClientFacts {
  readonly connected: number;
  readonly max: number;
  /** Largest buffers among the clients of the last seconds, in bytes. */
  readonly inputBufferBytesMax: number;
  readonly outputBufferBytesMax: number;
  readonly blocked: number;
}

export interface MemoryFacts {
  /** Live objects and metadata in the arena, now and at most so far, in bytes. */
  readonly usedBytes: number;
  readonly usedBytesPeak: number;
  /** The part of usedBytes that is not keys and values: tables, allocator, root. */
  readonly overheadBytes: number;
  /** usedBytes of an empty server. */
  readonly startupBytes: number;
  /** Extents taken from the arena, in bytes, and the arena itself. */
  readonly claimedBytes: number;
  readonly arenaBytes: number;
  /** Buffers of all connections, in bytes. */
  readonly clientBytes: number;
  readonly maxmemory: number;
  readonly maxmemoryPolicy: string;
  /** Percent of the time that compaction uses now. */
  readonly defragmentationEffort: number;
  readonly lazyfreedObjects: number;
  readonly lazyfreePendingObjects: number;
  /** See process_facts.ts. */
  readonly residentBytes: number;
  readonly machineBytes: number;
}

export interface PersistenceFacts {
  readonly isLoading: boolean;
  readonly changesSinceLastSave: number;
  readonly isSaving: boolean;
  /** Unix time of the last good checkpoint; the start time while there is none. */
  readonly lastSaveUnixSeconds: number;
  readonly lastSaveSucceeded: boolean;
  /** Duration of the last and of the running checkpoint; -1 without one. */
  readonly lastSaveSeconds: number;
  readonly currentSaveSeconds: number;
  /** Checkpoints that succeeded. */
  readonly saves: number;
  /** Keys found at the last restore, and those that had expired by then. */
  readonly keysLoaded: number;
  readonly keysExpiredAtLoad: number;
  /** The running checkpoint: pages in the file so far, pages in all, memory beside the arena. */
  readonly currentPagesDone: number;
  readonly currentPagesTotal: number;
  readonly currentExtraBytes: number;
  readonly currentExtraBytesPeak: number;
  /** How writes are caught, and one sentence that says why so. */
  readonly mechanism: string;
  readonly mechanismReason: string;
  readonly lastPauseMicros: number;
  readonly lastDurationMicros: number;
  readonly lastPages: number;
  readonly lastFaults: number;
  readonly lastSavedPages: number;
  /** Pre-images that were written straight to the file because the pool was full. */
  readonly lastOverflows: number;
  /** What caught writes cost in the worst turn of the loop. */
  readonly lastFaultBurstMicros: number;
  /** Most bytes that updates out of place held at a time. */
  readonly lastRelocatedBytesPeak: number;
  readonly lastExtraBytesPeak: number;
  readonly lastFileBytes: number;
  /** The lazy restore of this start: zeros when there was nothing to restore or it was eager. */
  readonly isRestoring: boolean;
  readonly restoreBytesTotal: number;
  readonly restoreBytesDone: number;
  /** How long the restore of this start took, lazy or eager; 0 until it has ended. */
  readonly restoreDurationMicros: number;
}

export interface StatsFacts {
  readonly connectionsReceived: number;
  readonly connectionsRejected: number;
  readonly commandsProcessed: number;
  readonly commandsPerSecond: number;
  readonly inputBytes: number;
  readonly outputBytes: number;
  readonly inputBytesPerSecond: number;
  readonly outputBytesPerSecond: number;
  readonly expiredKeys: number;
  /** Share of keys that are expired but still there, as the last cycles found it: 0 to 100. */
  readonly expiredStalePercent: number;
  readonly expireCyclesCutShort: number;
  readonly expireCycleMillis: number;
  readonly evictedKeys: number;
  readonly evictedClients: number;
  readonly keyspaceHits: number;
  readonly keyspaceMisses: number;
  /** Compaction: objects moved, objects that found no other room, entries moved and passed over. */
  readonly objectsMoved: number;
  readonly objectsNotMoved: number;
  readonly entriesMoved: number;
  readonly entriesKept: number;
  /** How long it went on, in all and now, in milliseconds. */
  readonly defragmentationMillis: number;
  readonly currentDefragmentationMillis: number;
  readonly errorReplies: number;
  readonly readsProcessed: number;
  readonly writesProcessed: number;
}

export interface ReplicationFacts {
  /** 40 hexadecimal digits. */
  readonly replicationId: string;
}

export interface CpuFacts {
  /** Of the process, and of its main thread alone. */
  readonly systemSeconds: number;
  readonly userSeconds: number;
  readonly mainThreadSystemSeconds: number;
  readonly mainThreadUserSeconds: number;
}

export interface CommandFacts {
  /** As in the command table: `get`, `config|get`. */
  readonly name: string;
  readonly calls: number;
  readonly micros: number;
  /** Refused before they ran (arity, ACL, memory), and ended with an error reply. */
  readonly rejected: number;
  readonly failed: number;
}

export interface ErrorFacts {
  /** First word of the error reply: ERR, WRONGTYPE, ... */
  readonly prefix: string;
  readonly count: number;
}

export interface LatencyFacts {
  readonly name: string;
  /** Percentiles as [50, microseconds], in ascending order. */
  readonly percentiles: readonly (readonly [number, number])[];
}

export interface DatabaseFacts {
  readonly index: number;
  readonly keys: number;
  readonly expires: number;
  readonly averageTtlMillis: number;
}

export interface InfoSource {
  server(): ServerFacts;
  clients(): ClientFacts;
  memory(): MemoryFacts;
  persistence(): PersistenceFacts;
  stats(): StatsFacts;
  replication(): ReplicationFacts;
  cpu(): CpuFacts;
  /** Commands that were called or rejected at least once. */
  commands(): Iterable<CommandFacts>;
  errors(): Iterable<ErrorFacts>;
  /** Commands whose latencies are tracked; none when that is off. */
  latencies(): Iterable<LatencyFacts>;
  /** Databases that hold keys, in order. */
  databases(): Iterable<DatabaseFacts>;
}

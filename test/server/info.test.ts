// INFO's text over a source with known facts; and its fields against those of Redis.
import { describe, expect, test } from 'vitest';
import { infoText } from '../../server/info/info_sections.js';
import type { InfoSource } from '../../server/info/info_source.js';
import { humanBytes } from '../../server/info/memory_fields.js';
import {
  parseThreadTicks,
  readCpuFacts,
  readMemoryFacts,
} from '../../server/info/process_facts.js';
import { Rate } from '../../server/info/rate.js';
import { describeWithPeer } from '../support/redis_peer.js';
import { spawnServer } from '../support/spawn_server.js';

const asked: string[] = [];

const SOURCE: InfoSource = {
  server: () => {
    asked.push('server');
    return {
      runId: 'f'.repeat(40),
      port: 7000,
      nowMicros: 1795428585573212,
      uptimeSeconds: 200000,
      hz: 10,
      configuredHz: 10,
      executable: '/usr/bin/stillframe',
      configFile: '/etc/two\nlines.conf',
    };
  },
  clients: () => ({
    connected: 3,
    max: 10000,
    inputBufferBytesMax: 20480,
    outputBufferBytesMax: 0,
    blocked: 0,
  }),
  memory: () => {
    asked.push('memory');
    return {
      usedBytes: 3 * 2 ** 20,
      usedBytesPeak: 4 * 2 ** 20,
      overheadBytes: 2 ** 20,
      startupBytes: 2 ** 20,
      claimedBytes: 6 * 2 ** 20,
      arenaBytes: 2 ** 30,
      clientBytes: 1000,
      maxmemory: 0,
      maxmemoryPolicy: 'noeviction',
      defragmentationEffort: 7,
      lazyfreedObjects: 5,
      lazyfreePendingObjects: 1,
      residentBytes: 9 * 2 ** 20,
      machineBytes: 2 ** 34,
    };
  },
  persistence: () => ({
    isLoading: false,
    changesSinceLastSave: 12,
    isSaving: true,
    lastSaveUnixSeconds: 1795428584,
    lastSaveSucceeded: false,
    lastSaveSeconds: -1,
    currentSaveSeconds: 2,
    saves: 4,
    keysLoaded: 100,
    keysExpiredAtLoad: 7,
    currentPagesDone: 25,
    currentPagesTotal: 100,
    currentExtraBytes: 4096,
    currentExtraBytesPeak: 8192,
    mechanism: 'userfaultfd',
    mechanismReason: 'the kernel offers it',
    lastPauseMicros: 312,
    lastDurationMicros: 2000000,
    lastPages: 1000,
    lastFaults: 10,
    lastSavedPages: 9,
    lastExtraBytesPeak: 65536,
    lastOverflows: 3,
    lastFaultBurstMicros: 450,
    lastRelocatedBytesPeak: 65536,
    lastFileBytes: 4096000,
    isRestoring: true,
    restoreBytesTotal: 8388608,
    restoreBytesDone: 65536,
    restoreDurationMicros: 0,
  }),
  stats: () => ({
    connectionsReceived: 1,
    connectionsRejected: 2,
    commandsProcessed: 3,
    commandsPerSecond: 4.4,
    inputBytes: 5,
    outputBytes: 6,
    inputBytesPerSecond: 2048,
    outputBytesPerSecond: 512,
    expiredKeys: 7,
    expiredStalePercent: 1.256,
    expireCyclesCutShort: 8,
    expireCycleMillis: 9.9,
    evictedKeys: 0,
    evictedClients: 0,
    keyspaceHits: 10,
    keyspaceMisses: 11,
    objectsMoved: 15,
    objectsNotMoved: 16,
    entriesMoved: 17,
    entriesKept: 18,
    defragmentationMillis: 19.5,
    currentDefragmentationMillis: 0,
    errorReplies: 12,
    readsProcessed: 13,
    writesProcessed: 14,
  }),
  replication: () => ({ replicationId: 'a'.repeat(40) }),
  cpu: readCpuFacts,
  commands: () => [
    { name: 'get', calls: 3, micros: 10, rejected: 1, failed: 0 },
    { name: 'config|get', calls: 0, micros: 0, rejected: 1, failed: 0 },
  ],
  errors: () => [{ prefix: 'WRONGTYPE', count: 3 }],
  latencies: () => [
    {
      name: 'get',
      percentiles: [
        [50, 1.5],
        [99.9, 20],
      ],
    },
  ],
  databases: () => [{ index: 3, keys: 10, expires: 2, averageTtlMillis: 99.5 }],
};

function titles(...names: string[]): string[] {
  return infoText(SOURCE, names)
    .split('\r\n')
    .filter((line) => line.startsWith('# '));
}

function field(section: string, name: string): string | undefined {
  const line = infoText(SOURCE, [section])
    .split('\r\n')
    .find((each) => each.startsWith(`${name}:`));
  return line?.slice(name.length + 1);
}

describe('sections', () => {
  test('the exact text', () => {
    expect(infoText(SOURCE, ['Keyspace', 'cluster', 'ERRORSTATS', 'nosuch'])).toBe(
      '# Errorstats\r\nerrorstat_WRONGTYPE:count=3\r\n\r\n' +
        '# Cluster\r\ncluster_enabled:0\r\n\r\n' +
        '# Keyspace\r\ndb3:keys=10,expires=2,avg_ttl=100\r\n',
    );
    expect(infoText(SOURCE, ['modules'])).toBe('# Modules\r\n');
    expect(infoText(SOURCE, ['nosuch'])).toBe('');
    expect(infoText(SOURCE, ['commandstats', 'latencystats'])).toBe(
      '# Commandstats\r\n' +
        'cmdstat_get:calls=3,usec=10,usec_per_call=3.33,rejected_calls=1,failed_calls=0\r\n' +
        'cmdstat_config|get:calls=0,usec=0,usec_per_call=0.00,rejected_calls=1,failed_calls=0\r\n\r\n' +
        '# Latencystats\r\nlatency_percentiles_usec_get:p50=1.500,p99.9=20.000\r\n',
    );
  });

  test('facts of other sections are not gathered', () => {
    asked.length = 0;
    infoText(SOURCE, ['server', 'stats']);
    expect(asked).toEqual(['server']);
  });

  test('values', () => {
    expect(field('server', 'redis_version')).toBe('7.0.15');
    expect(field('server', 'stillframe_version')).toMatch(/^\d+\.\d+\.\d+/);
    expect(field('server', 'uptime_in_days')).toBe('2');
    expect(field('server', 'lru_clock')).toBe(String(1795428585 % 2 ** 24));
    expect(field('server', 'config_file')).toBe('/etc/two lines.conf');
    expect(field('memory', 'used_memory_human')).toBe('3.00M');
    expect(field('memory', 'used_memory_peak_perc')).toBe('75.00%');
    expect(field('memory', 'used_memory_dataset_perc')).toBe('100.00%');
    expect(field('memory', 'mem_fragmentation_ratio')).toBe('3.00');
    expect(field('persistence', 'rdb_bgsave_in_progress')).toBe('1');
    expect(field('persistence', 'rdb_last_bgsave_status')).toBe('err');
    expect(field('persistence', 'current_fork_perc')).toBe('25.00');
    expect(field('persistence', 'checkpoint_mechanism')).toBe('userfaultfd');
    expect(field('persistence', 'checkpoint_last_pause_usec')).toBe('312');
    expect(field('persistence', 'checkpoint_last_file_bytes')).toBe('4096000');
    expect(field('persistence', 'restore_in_progress')).toBe('1');
    expect(field('persistence', 'restore_bytes_done')).toBe('65536');
    expect(field('stats', 'total_forks')).toBe('0');
    expect(field('stats', 'instantaneous_input_kbps')).toBe('2.00');
    expect(field('stats', 'expired_stale_perc')).toBe('1.26');
    expect(field('replication', 'role')).toBe('master');
    expect(field('cpu', 'used_cpu_user')).toMatch(/^\d+\.\d{6}$/);
  });

  test('human sizes', () => {
    const sizes = [0, 1023, 1536, 2 ** 20, 3.25 * 2 ** 30, 2 ** 40, 2 ** 60].map(humanBytes);
    expect(sizes).toEqual(['0B', '1023B', '1.50K', '1.00M', '3.25G', '1.00T', '1024.00P']);
  });
});

describe('the process', () => {
  test('memory and CPU are this process’s', () => {
    const before = readCpuFacts();
    for (const end = performance.now() + 60; performance.now() < end; );
    const after = readCpuFacts();
    expect(
      after.userSeconds + after.systemSeconds - before.userSeconds - before.systemSeconds,
    ).toBeGreaterThan(0.02);
    expect(after.mainThreadUserSeconds).toBeLessThanOrEqual(after.userSeconds + 0.02);
    expect(after.mainThreadUserSeconds).toBeGreaterThan(0);
    const { residentBytes, machineBytes } = readMemoryFacts();
    expect(residentBytes).toBeGreaterThan(10 * 2 ** 20);
    expect(machineBytes).toBeGreaterThan(residentBytes);
  });

  test('a process name cannot shift the fields', () => {
    const stat = `12 (a) b (c) R 1 1 1 0 -1 4194304 1 0 0 0 250 75 0 0 20 0 1 0 1 1 1`;
    expect(parseThreadTicks(stat)).toEqual({ user: 250, system: 75 });
  });

  test('a rate is the mean of its samples', () => {
    const rate = new Rate(0);
    for (let sample = 1; sample <= 16; sample++) rate.sample(sample * 50, sample * 100);
    expect(rate.mean()).toBeCloseTo(500);
    rate.sample(0, 1700);
    expect(rate.mean()).toBeCloseTo((500 * 15) / 16);
    rate.sample(1000, 1700);
    rate.reset(2000);
    expect(rate.mean()).toBe(0);
  });
});

describeWithPeer('fields and sections of Redis', () => {
  test('are all here, in the same order', async () => {
    const server = await spawnServer({ kind: 'redis' });
    try {
      const client = await server.connect();
      await client.call('GET');
      const names = (text: string) =>
        text
          .split('\r\n')
          .map((line) => line.split(':')[0]!)
          .filter((name) => !/^(cmdstat|errorstat|latency_percentiles|db\d)/.test(name));
      const ours = (...sections: string[]) => names(infoText(SOURCE, sections));
      const theirs = async (...sections: string[]) =>
        names((await client.call('INFO', ...sections)) as string);
      const own = /^(stillframe|node|checkpoint|arena|restore)_/;
      for (const sections of [
        [],
        ['all'],
        ['everything'],
        ['default', 'latencystats'],
        ['CPU', 'server'],
      ]) {
        expect(ours(...sections).filter((name) => !own.test(name))).toEqual(
          await theirs(...sections),
        );
      }
      expect(titles('all')).toHaveLength(13);
    } finally {
      await server.stop();
    }
  });
});

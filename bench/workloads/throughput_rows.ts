// The loads of the throughput workload: a base, and one dimension varied at a time. Adding a command is
// adding a line here.
import type { BenchmarkLoad } from '../load/redis_benchmark.js';
import type { CostRow } from './request_cost.js';

/** What a server holds before it is measured: one process each. */
export interface DataSet {
  readonly keys: number;
  readonly valueBytes: number;
}

export interface ThroughputRow extends CostRow {
  readonly data: DataSet;
}

const BASE: DataSet = { keys: 1_000_000, valueBytes: 64 };
const BASE_PIPELINE = 16;
const BASE_CONNECTIONS = 50;
/** Counters have prefix `cnt:`; a workload loads as many of them. */
export const COUNTERS = 100_000;
/** Of one size of values; fewer keys where they would not fit. */
const VALUE_DATA_BYTES = 1 << 30;

type Varied = Partial<BenchmarkLoad> & { readonly data?: DataSet };

/** About 0.4 s on the machine that the figures are of, whatever the load. */
function requestsFor(pipeline: number, connections: number, valueBytes: number): number {
  if (connections === 1) return 10_000;
  const rate =
    pipeline >= 64 ? 600_000 : pipeline >= 16 ? 400_000 : pipeline >= 4 ? 150_000 : 40_000;
  return Math.max(1000, Math.floor(Math.min(rate, 6e8 / (valueBytes + 1))));
}

function row(id: string, label: string, command: string, varied: Varied = {}): ThroughputRow {
  const data = varied.data ?? BASE;
  const pipeline = varied.pipeline ?? BASE_PIPELINE;
  const connections = varied.connections ?? BASE_CONNECTIONS;
  const [verb] = command.split(' ', 1);
  const simple = verb === 'GET' || verb === 'SET';
  return {
    id,
    label,
    data,
    load: {
      command: command.split(' '),
      ...(verb === 'SET' ? { valueBytes: data.valueBytes } : {}),
      pipeline,
      connections,
      requests: varied.requests ?? requestsFor(pipeline, connections, data.valueBytes),
      keys: varied.keys ?? data.keys,
    },
    ...(simple && data === BASE && connections === BASE_CONNECTIONS
      ? { cpuRatio: pipeline >= 16 ? 0.5 : 1, headline: pipeline !== 4 }
      : {}),
  };
}

const GET = 'GET key:__rand_int__';
const SET = 'SET key:__rand_int__';
const MSET = `MSET${` key:__rand_int__ ${'v'.repeat(BASE.valueBytes)}`.repeat(10)}`;

function both(id: string, label: string, varied: Varied): ThroughputRow[] {
  return [
    row(`get-${id}`, `GET, ${label}`, GET, varied),
    row(`set-${id}`, `SET, ${label}`, SET, varied),
  ];
}

function values(valueBytes: number, name: string, pipeline: number): ThroughputRow[] {
  const keys = Math.min(BASE.keys, Math.floor(VALUE_DATA_BYTES / valueBytes));
  return both(`${name}-values`, `values of ${name}, pipeline ${pipeline}`, {
    data: { keys, valueBytes },
    pipeline,
  });
}

function keys(count: number, name: string): ThroughputRow[] {
  return both(`${name}-keys`, `${name} keys`, { data: { ...BASE, keys: count } });
}

export const THROUGHPUT_ROWS: readonly ThroughputRow[] = [
  ...both('p1', 'pipeline 1', { pipeline: 1 }),
  ...both('p4', 'pipeline 4', { pipeline: 4 }),
  ...both('p16', 'pipeline 16 (base)', {}),
  ...both('p64', 'pipeline 64', { pipeline: 64 }),
  ...both('c1', '1 connection, pipeline 1', { connections: 1, pipeline: 1 }),
  ...both('c500', '500 connections, pipeline 1', { connections: 500, pipeline: 1 }),
  row('incr', 'INCR', 'INCR cnt:__rand_int__', { keys: COUNTERS }),
  row('mset', 'MSET of 10 keys', MSET, { requests: 40_000 }),
  ...values(16, '16B', 16),
  ...values(1024, '1KB', 16),
  ...values(16 * 1024, '16KB', 1),
  ...values(1024 * 1024, '1MB', 1),
  ...keys(100_000, '100k'),
  ...keys(5_000_000, '5M'),
  ...keys(20_000_000, '20M'),
];

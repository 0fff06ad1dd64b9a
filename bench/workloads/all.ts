// All workloads, in the order in which `npm run bench` runs them and the report shows them.
import type { Workload } from '../workload.js';
import { checkpoint } from './checkpoint.js';
import { heaps } from './heaps.js';
import { latency } from './latency.js';
import { mechanisms } from './mechanisms.js';
import { memory } from './memory.js';
import { restart } from './restart.js';
import { throughput } from './throughput.js';
import { types } from './types.js';

export const WORKLOADS: readonly Workload[] = [
  throughput,
  types,
  latency,
  checkpoint,
  heaps,
  memory,
  restart,
  mechanisms,
];

// All workloads, in the order in which `npm run bench` runs them and the report shows them.
import { checkpointCost } from '../checkpoint_cost.js';
import { latency } from '../latency.js';
import { pause } from '../pause.js';
import { restart } from '../restart.js';
import type { Workload } from '../workload.js';
import { mechanisms } from './mechanisms.js';
import { memory } from './memory.js';
import { throughput } from './throughput.js';

export const WORKLOADS: readonly Workload[] = [
  throughput,
  latency,
  checkpointCost,
  pause,
  memory,
  restart,
  mechanisms,
];

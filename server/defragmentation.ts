// Active defragmentation, by Redis's name and options: when compaction (storage/keyspace/compaction.ts)
// begins, and how much of the time it gets.
//
// Once a second the extents that a pass would free are counted. From active-defrag-threshold-lower percent of
// the others on, and active-defrag-ignore-bytes, a pass begins. It goes on in slices of SLICE_MILLIS,
// spread evenly, each between two turns of the loop: so a request waits for one slice at most. Their
// share of the time is active-defrag-cycle-min percent at the lower threshold and cycle-max at the upper.
import { databaseCount } from '../storage/heap.js';
import {
  beginCompaction,
  compactStep,
  isCompacting,
  stopCompaction,
} from '../storage/keyspace/compaction.js';
import { forgetLeftOvers } from '../storage/memory/evacuation.js';
import { watchLatency } from './latency.js';
import { runtime } from './runtime.js';
import { stats } from './stats.js';

const SLICE_MILLIS = 0.2;
/** What could not be emptied is tried again after so long. */
const RETRY_MILLIS = 10 * 60 * 1000;

let timer: NodeJS.Timeout | null = null;
/** Percent of the time that the pass gets; 0 when there is none. */
let effort = 0;
/** A user asked for this pass (MEMORY PURGE): it ends by itself, whatever the options say. */
let asked = false;
let beganMillis = 0;
let retriedMillis = 0;

/** INFO active_defrag_running: percent of the time that is used. 0 as soon as a checkpoint has ended the
 *  pass, although the timer of its next slice is still set. */
export function defragmentationEffort(): number {
  return isCompacting() ? effort : 0;
}

/** How long the pass has been going on, in milliseconds; 0 when there is none. */
export function defragmentationMillis(): number {
  return effort === 0 ? 0 : performance.now() - beganMillis;
}

/** Part of the periodic work, once a second: begins a pass when it is worth it. */
export function checkDefragmentation(nowMillis: number): void {
  if (nowMillis - retriedMillis > RETRY_MILLIS) {
    retriedMillis = nowMillis;
    forgetLeftOvers();
  }
  const { config } = runtime;
  if (!config.activedefrag || isCompacting()) return;
  const percent = beginCompaction(
    config.activeDefragThresholdLower,
    config.activeDefragIgnoreBytes,
  );
  if (percent > 0) begin(effortAt(percent));
}

/** MEMORY PURGE: frees what can be freed, however little. */
export function defragmentNow(): void {
  forgetLeftOvers();
  asked = isCompacting() || beginCompaction(0, 0) > 0;
  if (asked) begin(runtime.config.activeDefragCycleMax);
}

/** Ends the pass, if there is one: the server stops. */
export function stopDefragmentation(): void {
  stopCompaction();
  end();
}

function effortAt(percent: number): number {
  const { config } = runtime;
  const lower = config.activeDefragThresholdLower;
  const least = config.activeDefragCycleMin;
  const most = Math.max(least, config.activeDefragCycleMax);
  const above = (percent - lower) / Math.max(1, config.activeDefragThresholdUpper - lower);
  return Math.round(Math.min(most, least + above * (most - least)));
}

function begin(percent: number): void {
  if (effort === 0) beganMillis = performance.now();
  effort = percent;
  if (timer === null) timer = setTimeout(slice, 1);
}

function end(): void {
  if (timer !== null) clearTimeout(timer);
  stats.defragmentationMillis += defragmentationMillis();
  timer = null;
  effort = 0;
  asked = false;
}

function slice(): void {
  timer = null;
  if (!runtime.config.activedefrag && !asked) {
    stopDefragmentation();
    return;
  }
  const start = performance.now();
  let isMore = true;
  let used = 0;
  while (isMore && used < SLICE_MILLIS) {
    isMore = compactStep(databaseCount());
    used = performance.now() - start;
  }
  watchLatency('active-defrag-cycle', used * 1000);
  if (isMore) timer = setTimeout(slice, (used * 100) / effort - used);
  else end();
}

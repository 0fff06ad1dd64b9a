// Warming up: in the first second of its life a server rehearses how it writes while a checkpoint runs, in
// steps of a millisecond, so that its first checkpoint meets compiled code (storage/checkpoint/rehearsal.ts).
// It comes after the first replies, which a restart is measured by.
import { REHEARSALS, rehearseRun } from '../storage/checkpoint/rehearsal.js';
import { isCheckpointRunning } from '../storage/checkpoint/run.js';
import { isCompacting } from '../storage/keyspace/compaction.js';
import { isFilling } from '../storage/memory/extents.js';

const STEP_MILLIS = 20;

let timer: NodeJS.Timeout | null = null;
let stepsLeft = 0;

export function startWarmUp(): void {
  stopWarmUp();
  stepsLeft = REHEARSALS;
  timer = setInterval(step, STEP_MILLIS);
}

export function stopWarmUp(): void {
  if (timer !== null) clearInterval(timer);
  timer = null;
}

function step(): void {
  // A rehearsal opens the extents that a pass of compaction is emptying, as a checkpoint does.
  if (isCheckpointRunning() || isFilling() || isCompacting()) return;
  rehearseRun();
  if (--stepsLeft === 0) stopWarmUp();
}

// How much the caught writes of a checkpoint kept the server from its work.
//
// A caught write costs a fixed time inside the signal handler, so the time is counted, not measured: the
// number of faults is looked at once per millisecond, or once per turn of the loop when a turn takes
// longer, and the worst interval of the run is the burst. At most all of an interval was faults.
import { native } from '../native/index.js';
import { arena } from '../storage/memory/arena.js';

/** Signal, copy of 4 KiB and one page unprotected; native/test/run.sh bench prints it. */
const FAULT_MICROS = 10;
/** With mprotect the kernel also splits mappings. */
const FAULT_MICROS_MPROTECT = 15;
const INTERVAL_MILLIS = 1;

const faultMicros = arena.mechanism === 'mprotect' ? FAULT_MICROS_MPROTECT : FAULT_MICROS;

let timer: NodeJS.Timeout | null = null;
let seenFaults = 0;
let seenMillis = 0;
let burstMicros = 0;

/** Called at the cut. */
export function startFaultWatch(): void {
  stopFaultWatch();
  seenFaults = 0;
  seenMillis = performance.now();
  burstMicros = 0;
  timer = setInterval(look, INTERVAL_MILLIS);
  timer.unref();
}

/** Called when the run has ended. Returns the microseconds that faults took in its worst interval. */
export function stopFaultWatch(): number {
  if (timer === null) return 0;
  clearInterval(timer);
  timer = null;
  look();
  return burstMicros;
}

function look(): void {
  const { faults } = native.checkpointCounters();
  const now = performance.now();
  const micros = Math.min((faults - seenFaults) * faultMicros, (now - seenMillis) * 1000);
  burstMicros = Math.max(burstMicros, Math.round(micros));
  seenFaults = faults;
  seenMillis = now;
}

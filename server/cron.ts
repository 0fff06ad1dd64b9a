// Periodic work, `hz` times a second: expiry, save points, idle clients, memory that can go back.
// Each part does a bounded share per round, so that no round holds the server up.

import { databaseCount } from '../storage/heap.js';
import {
  deleteExpired,
  deleteExpiredFields,
  keyspaceCounters,
} from '../storage/keyspace/keyspace.js';
import { dropEmptyCursors } from '../storage/memory/allocator.js';
import { releaseFreeExtents, takePopulateStall } from '../storage/memory/extents.js';
import { databaseRoot } from '../storage/memory/layout.js';
import { setClock } from '../storage/structures/clock.js';
import { serveReady } from './blocking/serve.js';
import { anyoneWaits, noteDatabaseReady } from './blocking/waits.js';
import { checkSavePoints } from './checkpoints.js';
import { allClients, closeAtOnce, queuedBytes } from './clients.js';
import { checkDefragmentation, stopDefragmentation } from './defragmentation.js';
import { sampleFacts } from './info_facts.js';
import { recordLatency, watchLatency } from './latency.js';
import { sendReplies } from './output.js';
import { isPausing } from './pause.js';
import { reclaimSoon } from './reclaim.js';
import { runtime } from './runtime.js';
import { stats } from './stats.js';

/** Share of the time that expiry may take while keys are due: a quarter, as in Redis. */
const EXPIRE_SHARE = 0.25;
const EXPIRE_STEP = 20;
/** A step of expiry may last this long before other events get their turn. */
const EXPIRE_SLICE_MILLIS = 1;
/** 2 MiB each; giving one back costs about 0.1 ms. */
const RELEASE_EXTENTS_MAX = 8;
const IDLE_CHECK_MILLIS = 1000;
/** Touching an extent that was populated takes about 1 us, a fresh huge page 100 us and more. */
const POPULATE_STALL_MICROS_MIN = 100;

let timer: NodeJS.Timeout | null = null;
let lastIdleCheck = 0;
let expirySwitchedOn = true;
let expiring = false;
/** The database that the next step of expiry is for. */
let expireAt = 0;
/** Keys that had expired when clients were told last. */
let expiredSeen = 0;

export function startCron(): void {
  stopCron();
  timer = setInterval(round, 1000 / runtime.config.hz);
}

export function stopCron(): void {
  if (timer !== null) clearInterval(timer);
  timer = null;
  stopDefragmentation();
}

/** DEBUG SET-ACTIVE-EXPIRE. */
export function switchActiveExpiry(on: boolean): void {
  expirySwitchedOn = on;
}

function round(): void {
  const now = Date.now();
  setClock(now);
  // A pause of writes is for those who need the data to stand still.
  if (expirySwitchedOn && !expiring && !isPausing())
    expireFor((1000 / runtime.config.hz) * EXPIRE_SHARE);
  if (keyspaceCounters.expired !== expiredSeen) tellWaiting();
  reclaimSoon();
  releaseFreeExtents(RELEASE_EXTENTS_MAX);
  const stallMicros = takePopulateStall();
  if (stallMicros > POPULATE_STALL_MICROS_MIN) recordLatency('extent-populate', stallMicros);
  checkSavePoints(now);
  sampleFacts();
  if (now - lastIdleCheck >= IDLE_CHECK_MILLIS) {
    lastIdleCheck = now;
    closeIdleClients(now);
    limitOutput(now);
    dropEmptyCursors();
    checkDefragmentation(now);
  }
}

/** Keys have expired: ends the waits of clients that wait for one of them to get news (XREADGROUP). */
function tellWaiting(): void {
  expiredSeen = keyspaceCounters.expired;
  if (!anyoneWaits()) return;
  for (let index = 0; index < databaseCount(); index++) noteDatabaseReady(index, () => true);
  serveReady();
  sendReplies();
}

/** Deletes what is due, in slices of a millisecond, for at most `budgetMillis` this round. */
function expireFor(budgetMillis: number): void {
  const start = performance.now();
  let idle = 0; // databases in a row with nothing more that is due
  while (idle < databaseCount() && performance.now() - start < EXPIRE_SLICE_MILLIS) {
    idle = expireStep() ? 0 : idle + 1;
  }
  const due = idle < databaseCount();
  const used = performance.now() - start;
  stats.expireCycleMillis += used;
  watchLatency('expire-cycle', used * 1000);
  expiring = due && used < budgetMillis;
  if (expiring) setImmediate(() => expireFor(budgetMillis - used));
  else if (due) stats.expireCyclesCutShort++;
}

/** One step in the next database: at worst 20 values that are freed at once, 30 us each. Returns whether it may
 *  have more. */
function expireStep(): boolean {
  if (expireAt >= databaseCount()) expireAt = 0;
  const database = databaseRoot(expireAt++);
  const keys = deleteExpired(database, EXPIRE_STEP);
  const fields = deleteExpiredFields(database, EXPIRE_STEP);
  return keys === EXPIRE_STEP || fields === EXPIRE_STEP;
}

function closeIdleClients(now: number): void {
  const seconds = runtime.config.timeout;
  if (seconds === 0) return;
  for (const client of allClients()) {
    if (now - client.lastMillis <= seconds * 1000 || client.wait !== null) continue;
    runtime.log.verbose(`Closing idle client ${client.id} (${client.address})`);
    closeAtOnce(client);
  }
}

/** client-output-buffer-limit of the class normal. */
function limitOutput(now: number): void {
  const limit = runtime.config.clientOutputBufferLimit.normal;
  if (limit.hardBytes === 0 && limit.softBytes === 0) return;
  for (const client of allClients()) {
    const bytes = queuedBytes(client);
    if (limit.softBytes === 0 || bytes < limit.softBytes) client.overSoftSinceMillis = 0;
    else if (client.overSoftSinceMillis === 0) client.overSoftSinceMillis = now;
    const soft =
      client.overSoftSinceMillis > 0 && now - client.overSoftSinceMillis > limit.softSeconds * 1000;
    if ((limit.hardBytes > 0 && bytes >= limit.hardBytes) || soft) {
      runtime.log.warning(`Closing client ${client.id}: its output buffer is over the limit`);
      closeAtOnce(client);
    }
  }
}

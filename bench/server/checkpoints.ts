// Checkpoints of a server under measurement, as its clients see them: BGSAVE, then INFO until it says
// that none is running. Times are of CLOCK_MONOTONIC.
import { setTimeout as delay } from 'node:timers/promises';
import { type Control, field, type Info } from './control.js';

/** INFO persistence is cheap; asking this often costs neither server a measurable share. */
const POLL_MILLIS = 20;

export interface CheckpointSpan {
  readonly beginNanos: bigint;
  readonly endNanos: bigint;
  readonly seconds: number;
  /** INFO persistence after the end. */
  readonly info: Info;
}

/** Takes one checkpoint in the background and waits for its end. Throws when it failed. */
export async function takeCheckpoint(control: Control): Promise<CheckpointSpan> {
  const beginNanos = process.hrtime.bigint();
  await control.ask('BGSAVE');
  for (;;) {
    await delay(POLL_MILLIS);
    const info = await control.info('persistence');
    if (field(info, 'rdb_bgsave_in_progress') !== 0) continue;
    const endNanos = process.hrtime.bigint();
    if (info.rdb_last_bgsave_status !== 'ok') throw new Error('the checkpoint failed');
    return { beginNanos, endNanos, seconds: Number(endNanos - beginNanos) / 1e9, info };
  }
}

/** Puts a field into a configuration that the server may not know; returns whether it does. */
export async function configure(control: Control, name: string, value: string): Promise<boolean> {
  try {
    await control.ask('CONFIG', 'SET', name, value);
    return true;
  } catch {
    return false;
  }
}

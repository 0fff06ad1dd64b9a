// Storage's time. The server advances it once per turn; a test or a replay sets it as it likes.

/** The 24-bit access clock wraps after 194 days, as Redis's LRU clock does. */
export const ACCESS_CLOCK_MASK = 0xffffff;

export const clock = { nowMillis: 0, accessSeconds: 0 };

/** Milliseconds of Unix time. */
export function setClock(nowMillis: number): void {
  clock.nowMillis = nowMillis;
  clock.accessSeconds = Math.floor(nowMillis / 1000) & ACCESS_CLOCK_MASK;
}

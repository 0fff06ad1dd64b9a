// Counters since the start or CONFIG RESETSTAT: INFO stats, errorstats.

export const stats = {
  commandsProcessed: 0,
  connectionsReceived: 0,
  connectionsRejected: 0,
  keyspaceHits: 0,
  keyspaceMisses: 0,
  errorReplies: 0,
  evictedClients: 0,
  readsProcessed: 0,
  writesProcessed: 0,
  expireCyclesCutShort: 0,
  expireCycleMillis: 0,
  defragmentationMillis: 0,
};

/** Error replies by their first word. Bounded: a client cannot choose the words. */
export const errorCounts = new Map<string, number>();
const ERROR_KINDS_MAX = 128;

export function countError(text: string): void {
  stats.errorReplies++;
  const space = text.indexOf(' ');
  const kind = space < 0 ? text : text.slice(0, space);
  if (errorCounts.size >= ERROR_KINDS_MAX && !errorCounts.has(kind)) return;
  errorCounts.set(kind, (errorCounts.get(kind) ?? 0) + 1);
}

export function resetStats(): void {
  for (const name of Object.keys(stats) as (keyof typeof stats)[]) stats[name] = 0;
  errorCounts.clear();
}

// Replies about consumer groups hold times: since when an entry is pending, when a consumer was seen. Two servers
// agree on them but for how far apart they were when they got the request.
import { type Reply, show } from '../support/reply.js';

const APART_MILLIS_MAX = 10_000;

/** Whether item `i` of an array is a time: after its name, or the last but one of a pending entry. */
function isTime(items: readonly Reply[], i: number): boolean {
  if (items[i]?.type !== 'integer') return false;
  if (i > 0 && ['idle', 'seen-time'].includes(items[i - 1]!.text)) return true;
  const isPending = items[0]?.type === 'bulk' && /^\d+-\d+$/.test(items[0].text);
  return isPending && (items.length === 3 || items.length === 4) && i === items.length - 2;
}

/** Whether two replies are the same, their times being about the same. */
export function sameButTimes(expected: Reply, actual: Reply): boolean {
  if (expected.items.length === 0) return show(expected) === show(actual);
  if (expected.type !== actual.type || expected.items.length !== actual.items.length) return false;
  return expected.items.every((item, i) => {
    const other = actual.items[i]!;
    if (!isTime(expected.items, i) || other.type !== 'integer') return sameButTimes(item, other);
    return Math.abs(Number(item.text) - Number(other.text)) <= APART_MILLIS_MAX;
  });
}

// Serving the clients that wait for keys which the last command has made ready. Called between two commands, when
// neither a reply nor a change is half done.
//
// For each key, in the order in which they were changed, the clients are asked in the order in which they came. Those
// that wait for a value that may be taken away (Wait.gone) are told when the key is gone or has another type. What
// serving one changes (BLMOVE pushes to another list) may make further keys ready, which are served next.
import { Buffer } from 'node:buffer';
import { args } from '../../protocol/arguments.js';
import { lookup } from '../../storage/keyspace/keyspace.js';
import { databaseRoot, NULL_REF } from '../../storage/memory/layout.js';
import { headerOf, TYPE_MASK } from '../../storage/structures/entry.js';
import { replyTo } from '../output.js';
import { endWait } from './block.js';
import { anyReady, takeReady, waitsFor } from './waits.js';

/** Serves whom the command that has just ended made ready. Leaves another request in `args`. */
export function serveReady(): void {
  while (anyReady()) {
    for (const name of takeReady()) serveKey(name);
  }
}

function serveKey(name: string): void {
  const waiting = waitsFor(name);
  if (waiting === undefined) return;
  const colon = name.indexOf(':');
  const database = databaseRoot(Number(name.slice(0, colon)));
  const key = new Uint8Array(Buffer.from(name.slice(colon + 1), 'latin1'));
  for (const [wait, argument] of waiting) {
    const ref = lookup(database, key, 0, key.length);
    if (ref === NULL_REF || (headerOf(ref) & TYPE_MASK) !== wait.type) {
      if (wait.gone === null) continue;
      replyTo(wait.client, wait.isQuiet, wait.gone);
      endWait(wait);
      continue;
    }
    let served = false;
    replyTo(wait.client, wait.isQuiet, () => {
      args.load(wait.request);
      served = wait.serve(wait.client, argument, ref);
    });
    if (served) endWait(wait);
  }
}

// Decides, connection by connection, whether two replies agree: a command queued by MULTI is
// answered inside the array of EXEC, and is compared by its own rule there.
import type { Reply } from '../support/reply.js';
import { agree } from './exceptions.js';

export class Agreement {
  private queued: (readonly string[])[] = [];

  /** True when the replies to the command agree. Ask in the order of the replies. */
  on(words: readonly string[], expected: Reply, actual: Reply): boolean {
    if (expected.text === 'QUEUED' && actual.text === 'QUEUED') {
      this.queued.push(words);
      return true;
    }
    const name = words[0]?.toUpperCase();
    if (name === 'EXEC' || name === 'DISCARD' || name === 'RESET') {
      const commands = this.queued;
      this.queued = [];
      if (name === 'EXEC' && expected.type === 'array' && actual.type === 'array') {
        if (expected.items.length !== actual.items.length) return false;
        return expected.items.every((item, i) =>
          agree(item, actual.items[i] as Reply, commands[i] ?? []),
        );
      }
    }
    return agree(expected, actual, words);
  }
}

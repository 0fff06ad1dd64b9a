// MULTI, EXEC, DISCARD, WATCH and what they enclose: all other tables come in between.
import type { CommandTable } from '../generator.js';

export const transactionCommands: CommandTable = {
  MULTI: { weight: 5, args: () => [] },
  EXEC: { weight: 6, args: () => [] },
  DISCARD: { weight: 1, args: () => [] },
  WATCH: { weight: 4, args: (g) => g.someKeys(3) },
  UNWATCH: { weight: 0.5, args: () => [] },
  RESET: { weight: 0.2, args: () => [] },
  NOSUCHCOMMAND: { weight: 0.2, args: (g) => [g.value()] },
  HELLO: { weight: 0.2, args: (g) => [g.random.pick([2, 3, 4])] },
  ECHO: { weight: 0.5, args: (g) => [g.value()] },
  PING: { weight: 0.5, args: () => [] },
  SELECT: { weight: 0.3, args: (g) => [g.databaseIndex()] },
};

/** A small choice of everything that touches, creates, deletes or expires watched keys. */
export const touchingCommands: CommandTable = {
  SET: { weight: 3, args: (g) => [g.key(), g.value()] },
  GET: { weight: 2, args: (g) => [g.key()] },
  INCR: (g) => [g.key()],
  APPEND: (g) => [g.key(), g.value()],
  DEL: (g) => g.someKeys(2),
  MSET: (g) => [g.key(), g.value(), g.key(), g.value()],
  EXPIREAT: (g) => [g.key(), g.absolute('seconds')],
  PERSIST: (g) => [g.key()],
  RENAME: (g) => [g.key(), g.key()],
  COPY: (g) => [g.key(), g.key(), 'REPLACE'],
  MOVE: (g) => [g.key(), g.databaseIndex()],
  SWAPDB: { weight: 0.5, args: (g) => [g.databaseIndex(), g.databaseIndex()] },
  FLUSHDB: { weight: 0.3, args: () => [] },
  FLUSHALL: { weight: 0.1, args: () => [] },
  GETEX: (g) => [g.key(), ...(g.random.chance(0.5) ? ['PERSIST'] : [])],
  SETBIT: (g) => [g.key(), g.random.below(50), g.random.below(2)],
  DBSIZE: () => [],
  EXISTS: (g) => g.someKeys(3),
  TOUCH: (g) => g.someKeys(2),
};

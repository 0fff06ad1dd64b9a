// Every command that Stillframe has, as the tests know it: a test fails when the server lacks one.
// A new command is one more word here; the systematic error test and the COMMAND test take it up.

export const COMMANDS: readonly string[] = `
  PING ECHO SELECT AUTH HELLO QUIT RESET CLIENT COMMAND
  GET SET SETNX SETEX PSETEX GETSET GETDEL GETEX MGET MSET MSETNX APPEND STRLEN GETRANGE SETRANGE
  SUBSTR INCR INCRBY INCRBYFLOAT DECR DECRBY LCS
  GETBIT SETBIT BITCOUNT BITPOS BITOP BITFIELD BITFIELD_RO
  DEL UNLINK EXISTS TYPE KEYS SCAN RANDOMKEY RENAME RENAMENX COPY MOVE SWAPDB TOUCH
  EXPIRE PEXPIRE EXPIREAT PEXPIREAT EXPIRETIME PEXPIRETIME TTL PTTL PERSIST OBJECT DBSIZE
  FLUSHDB FLUSHALL SAVE BGSAVE LASTSAVE SHUTDOWN INFO CONFIG TIME DEBUG MEMORY
  MULTI EXEC DISCARD WATCH UNWATCH
`
  .trim()
  .split(/\s+/); // prettier-ignore

/** Subcommands that have to exist, by container. */
export const SUBCOMMANDS: Readonly<Record<string, readonly string[]>> = {
  CLIENT: [
    'ID',
    'INFO',
    'LIST',
    'SETNAME',
    'GETNAME',
    'KILL',
    'NO-EVICT',
    'REPLY',
    'PAUSE',
    'UNPAUSE',
  ],
  COMMAND: ['COUNT', 'INFO', 'LIST', 'DOCS', 'GETKEYS'],
  CONFIG: ['GET', 'SET', 'RESETSTAT', 'REWRITE'],
  MEMORY: ['USAGE', 'STATS', 'DOCTOR'],
  OBJECT: ['ENCODING', 'FREQ', 'IDLETIME', 'REFCOUNT', 'HELP'],
};

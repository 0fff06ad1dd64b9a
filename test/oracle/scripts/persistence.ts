// SAVE, BGSAVE, SHUTDOWN's forms, DEBUG and MEMORY.

export const persistenceScripts: Readonly<Record<string, string>> = {
  'SAVE, BGSAVE and LASTSAVE': `
    a: SAVE
    a: SAVE x
    a: LASTSAVE
    a: BGSAVE
    a: BGSAVE JUNK
    a: BGSAVE SCHEDULE x
    a: MULTI
    a: SAVE
    a: BGSAVE x y
    a: EXEC
    a: MULTI
    a: SET k v
    a: EXEC
    a: FLUSHALL
  `,
  'SHUTDOWN that does not': `
    a: SHUTDOWN JUNK
    a: SHUTDOWN NOSAVE SAVE
    a: SHUTDOWN ABORT
    a: SHUTDOWN ABORT NOW
    a: SHUTDOWN NOSAVE JUNK
    a: MULTI
    a: SHUTDOWN
    a: DISCARD
  `,
  'DEBUG PROTOCOL, RESP2': `
    a: DEBUG PROTOCOL STRING
    a: DEBUG PROTOCOL integer
    a: DEBUG PROTOCOL double
    a: DEBUG PROTOCOL null
    a: DEBUG PROTOCOL array
    a: DEBUG PROTOCOL set
    a: DEBUG PROTOCOL map
    a: DEBUG PROTOCOL attrib
    a: DEBUG PROTOCOL push
    a: DEBUG PROTOCOL verbatim
    a: DEBUG PROTOCOL true
    a: DEBUG PROTOCOL false
    a: DEBUG PROTOCOL bignum
    a: DEBUG PROTOCOL junk
    a: DEBUG PROTOCOL
  `,
  'DEBUG PROTOCOL, RESP3': `
    a: HELLO 3
    a: DEBUG PROTOCOL string
    a: DEBUG PROTOCOL integer
    a: DEBUG PROTOCOL double
    a: DEBUG PROTOCOL null
    a: DEBUG PROTOCOL array
    a: DEBUG PROTOCOL set
    a: DEBUG PROTOCOL map
    a: DEBUG PROTOCOL attrib
    a: DEBUG PROTOCOL push
    a< 1
    a: DEBUG PROTOCOL verbatim
    a: DEBUG PROTOCOL true
    a: DEBUG PROTOCOL false
    a: DEBUG PROTOCOL bignum
    a: DEBUG PROTOCOL junk
  `,
  'DEBUG: the others': `
    a: DEBUG
    a: DEBUG JUNK
    a: DEBUG JUNK x y
    a: DEBUG SLEEP 0
    a: DEBUG SLEEP 0.01
    a: DEBUG SLEEP abc
    a: DEBUG SLEEP
    a: DEBUG SET-ACTIVE-EXPIRE 0
    a: DEBUG SET-ACTIVE-EXPIRE 1
    a: DEBUG SET-ACTIVE-EXPIRE abc
    a: DEBUG SET-ACTIVE-EXPIRE
    a: DEBUG ERROR hello
    a: DEBUG ERROR "ERR hello world"
    a: DEBUG ERROR "two\\r\\nlines"
    a: DEBUG ERROR
    a: DEBUG OBJECT nokey
    a: SET k v
    a: SET n 12345
    a: SET e abcdefghijabcdefghijabcdefghijabcdefghijabcd
    a: SET r abcdefghijabcdefghijabcdefghijabcdefghijabcde
    a: DEBUG OBJECT k
    a: DEBUG OBJECT n
    a: DEBUG OBJECT e
    a: DEBUG OBJECT r
    a: DEBUG OBJECT
    a: DEBUG OBJECT k x
    a: DEBUG STRINGMATCH-LEN 1000 a*b*c
    a: DEBUG STRINGMATCH-LEN 1000
    a: DEBUG HTSTATS 0
    a: DEBUG HTSTATS 99
    a: DEBUG HTSTATS abc
    a: DEBUG HTSTATS
    a: DEBUG HTSTATS-KEY k
    a: DEBUG HTSTATS-KEY nokey
    a: DEBUG HTSTATS-KEY
    a: HELLO 3
    a: DEBUG HTSTATS 0
    a: debug object k
    a: FLUSHALL
  `,
  'DEBUG POPULATE': `
    a: DEBUG POPULATE 5
    a: KEYS *
    a: GET key:0
    a: GET key:4
    a: DEBUG POPULATE 3 prefix
    a: KEYS prefix*
    a: DEBUG POPULATE 3 sized 20
    a: GET sized:0
    a: GET sized:2
    a: DEBUG POPULATE 2 short 3
    a: GET short:1
    a: SET keep:0 mine
    a: DEBUG POPULATE 2 keep
    a: GET keep:0
    a: DBSIZE
    a: DEBUG POPULATE
    a: DEBUG POPULATE abc
    a: DEBUG POPULATE -1
    a: DEBUG POPULATE 1 p abc
    a: DEBUG POPULATE 1 p 5 x
    a: DBSIZE
    a: FLUSHALL
  `,
  'DEBUG RELOAD keeps every database': `
    a: SET k v
    a: SET n -9223372036854775808
    a: SET bin "\\x00\\xff\\r\\n"
    a: SET "" empty
    a: PEXPIREAT k 4102444800123
    a: SELECT 3
    a: SET three 3
    a: APPEND three 33
    a: EXPIREAT three 4102444800
    a: SELECT 15
    a: MSET a 1 b 2 c 3
    a: DEBUG RELOAD
    a: KEYS *
    a: MGET a b c
    a: SELECT 3
    a: GET three
    a: PEXPIRETIME three
    a: SELECT 0
    a: MGET k n bin ""
    a: PEXPIRETIME k
    a: TTL n
    a: DBSIZE
    a: DEBUG RELOAD JUNK
    a: FLUSHALL
    a: DEBUG RELOAD
    a: DBSIZE
  `,
  MEMORY: `
    a: MEMORY
    a: MEMORY JUNK
    a: SET k v
    a: MEMORY USAGE k
    a: MEMORY USAGE nokey
    a: MEMORY USAGE k SAMPLES 0
    a: MEMORY USAGE k SAMPLES -1
    a: MEMORY USAGE k SAMPLES abc
    a: MEMORY USAGE k SAMPLES
    a: MEMORY USAGE k JUNK
    a: MEMORY USAGE
    a: MEMORY STATS
    a: MEMORY STATS x
    a: MEMORY DOCTOR
    a: MEMORY DOCTOR x
    a: HELLO 3
    a: MEMORY STATS
    a: MEMORY DOCTOR
    a: FLUSHALL
  `,
};

// Clients that wait for lists: who is served, when, and by what. A line `x~` sends without reading; two PINGs of
// another connection behind it make sure that it has been taken.

const scripts: Readonly<Record<string, string>> = {
  'BLPOP and BRPOP, served by a push': `
    a~ BLPOP k 0
    b: RPUSH k 1 2 3
    a< 1
    b: LRANGE k 0 -1
    a: BRPOP k 0
    a: BLPOP k 0
    a: EXISTS k
    a~ BRPOP k 0
    b: LPUSH k x y
    a< 1
    b: LRANGE k 0 -1
    b: DEL k
    c: HELLO 3
    c~ BLPOP k 0
    b: RPUSH k 1
    c< 1
  `,
  'first come, first served': `
    a~ BLPOP k 0
    b~ BRPOP k 0
    c~ BLPOP other k 0
    d~ BLPOP k other 0
    z: RPUSH k 1 2 3
    a< 1
    b< 1
    c< 1
    z: LLEN k
    z: LPUSH other x
    d< 1
    z: EXISTS k other
  `,
  'several keys: the first that exists, then the first that comes': `
    z: RPUSH k2 b
    a: BLPOP k1 k2 k3 0
    a~ BLPOP k1 k2 k3 k1 0
    z: MULTI
    z: RPUSH k3 c
    z: RPUSH k1 a
    z: EXEC
    a< 1
    z: LRANGE k1 0 -1
    z: LRANGE k3 0 -1
    z: SET k2 string
    a: BLPOP k0 k2 k1 0
    z: FLUSHALL
  `,
  'a transaction serves when it has ended': `
    a~ BLPOP k 0
    z: MULTI
    z: RPUSH k 1
    z: LPOP k
    z: EXEC
    z: MULTI
    z: RPUSH k 1
    z: DEL k
    z: EXEC
    z: MULTI
    z: LPUSH k 1
    z: LPUSH k 2
    z: LLEN k
    z: EXEC
    a< 1
    z: LRANGE k 0 -1
    z: DEL k
  `,
  'inside a transaction nobody waits': `
    a: MULTI
    a: BLPOP k 0
    a: BRPOP k 0
    a: BLMOVE k k2 LEFT RIGHT 0
    a: BRPOPLPUSH k k2 0
    a: BLMPOP 0 1 k LEFT
    a: BLPOP k abc
    a: BLMPOP 0 0 k LEFT
    a: RPUSH k 1
    a: BLPOP k 0
    a: EXEC
    b: HELLO 3
    b: MULTI
    b: BLPOP k 0
    b: BLMOVE k k2 LEFT RIGHT 0
    b: BLMPOP 0 1 k LEFT
    b: EXEC
  `,
  'time limits': `
    a: BLPOP k 0.01
    a: BRPOP k 1e-3
    a: BLMOVE k k2 LEFT LEFT 0.01
    a: BRPOPLPUSH k k2 0.01
    a: BLMPOP 0.01 2 k k2 RIGHT COUNT 5
    a: PING
    a: HELLO 3
    a: BLPOP k 0.01
    a: BLMOVE k k2 LEFT LEFT 0.01
    a: BLMPOP 0.01 2 k k2 RIGHT
    a: BLPOP k -1
    a: BLPOP k abc
    a: BLPOP k 1e300
    a: BLPOP k inf
    a: BLPOP k nan
    a: BLPOP k ""
    a: BLMOVE k k2 LEFT UP 0
    a: BLMOVE k k2 LEFT RIGHT abc
    a: BLMPOP abc 1 k LEFT
    a: BLMPOP abc 0 k LEFT
    a: BLMPOP 0 1 k LEFT COUNT 0
    a: BLMPOP 0 1 k LEFT COUNT 1 COUNT 2
    a: BLMPOP 0 2 k LEFT
    a: BLPOP k
    a: BLPOP 1
  `,
  'BLMOVE and BRPOPLPUSH': `
    a~ BLMOVE source target LEFT RIGHT 0
    z: RPUSH source 1 2
    a< 1
    z: LRANGE source 0 -1
    z: LRANGE target 0 -1
    z: DEL source target
    a~ BRPOPLPUSH source source 0
    z: RPUSH source 1 2 3
    a< 1
    z: LRANGE source 0 -1
    z: DEL source
    a~ BLMOVE source target RIGHT LEFT 0
    z: SET target string
    z: RPUSH source 1
    a< 1
    z: LRANGE source 0 -1
    z: FLUSHALL
    a~ BLMOVE a b LEFT RIGHT 0
    b~ BLMOVE b c LEFT RIGHT 0
    c~ BLPOP c 0
    z: RPUSH a x
    a< 1
    b< 1
    c< 1
    z: EXISTS a b c
  `,
  BLMPOP: `
    a~ BLMPOP 0 2 k1 k2 LEFT COUNT 2
    z: RPUSH k2 1 2 3
    a< 1
    a: BLMPOP 0 2 k1 k2 RIGHT COUNT 10
    a~ BLMPOP 0 1 k1 RIGHT COUNT 2
    b~ BLMPOP 0 1 k1 LEFT
    z: RPUSH k1 1 2 3 4
    a< 1
    b< 1
    z: LRANGE k1 0 -1
    z: DEL k1
  `,
  'lists that come by other ways': `
    a~ BLPOP k 0
    z: RPUSH k2 1
    z: RENAME k2 k
    a< 1
    a~ BLPOP k 0
    z: RPUSH k2 1 2
    z: COPY k2 k
    a< 1
    z: LRANGE k 0 -1
    z: DEL k k2
    a~ BLPOP k 0
    z: SELECT 1
    z: RPUSH k 1
    z: MOVE k 0
    a< 1
    a~ BLPOP k 0
    z: RPUSH k 1
    z: SWAPDB 0 1
    a< 1
    z: SELECT 0
    a~ BLPOP k 0
    z: SET k string
    z: DEL k
    z: RPUSH k 1
    a< 1
    a~ BLPOP k 0
    z: RPUSH k2 x
    z: LMOVE k2 k LEFT LEFT
    a< 1
    a~ BLPOP k 0
    z: SET k string
    z: RPUSH k2 1
    z: RENAME k2 k
    a< 1
    z: DBSIZE
  `,
  'the wrong type': `
    z: SET s x
    a: BLPOP s 0
    a: BLPOP none s 0
    a: BLMOVE s k LEFT LEFT 0
    a: BLMPOP 0 2 none s LEFT
    z: RPUSH l 1
    a: BLMOVE l s LEFT LEFT 0
    a: LRANGE l 0 -1
    z: DEL s l
  `,
  'CLIENT UNBLOCK': `
    z: CLIENT UNBLOCK {id:a}
    a~ BLPOP k 0
    z: CLIENT UNBLOCK {id:a}
    a< 1
    a~ BLPOP k 0
    z: CLIENT UNBLOCK {id:a} TIMEOUT
    a< 1
    a~ BLPOP k 0
    z: CLIENT UNBLOCK {id:a} ERROR
    a< 1
    a~ BLMOVE k k2 LEFT LEFT 0
    z: CLIENT UNBLOCK {id:a}
    a< 1
    z: CLIENT UNBLOCK {id:a} error
    z: CLIENT UNBLOCK {id:z}
    z: CLIENT UNBLOCK abc
    z: CLIENT UNBLOCK 999999
    z: CLIENT UNBLOCK {id:a} JUNK
    z: CLIENT UNBLOCK
    z: CLIENT UNBLOCK 1 TIMEOUT x
    z: RPUSH k 1
    a: BLPOP k 0
    a: HELLO 3
    a~ BLPOP k 0
    z: CLIENT UNBLOCK {id:a}
    a< 1
  `,
  'a client that is gone gets nothing': `
    z: CLIENT LIST ID {id:a}
    a~ BLPOP k 0
    b~ BLPOP k 0
    z: CLIENT KILL ID {id:a}
    a!
    z: RPUSH k 1
    b< 1
    c~ BLPOP k 0
    c/
    z: RPUSH k 2
    z: LRANGE k 0 -1
    z: DEL k
  `,
  'further requests of a waiting client wait': `
    a~ BLPOP k 0
    a~ PING one
    a~ SET s 1
    z: GET s
    z: RPUSH k 1
    a< 3
    z: GET s
    a~ BLPOP k 0
    a~ BLPOP k 0
    a~ PING two
    z: RPUSH k 1 2
    a< 3
    z: DEL s
    a= *3\\r\\n$5\\r\\nBLPOP\\r\\n$1\\r\\nk\\r\\n$4\\r\\n0.01\\r\\n*1\\r\\n$4\\r\\nPING\\r\\n
    a< 1
  `,
  'flags and counts of waiting clients': `
    z: CLIENT LIST ID {id:a}
    a~ BLPOP k 0
    z: CLIENT LIST ID {id:a}
    z: RPUSH k 1
    a< 1
    z: CLIENT LIST ID {id:a}
    z: CLIENT NO-EVICT off
  `,
  'WATCH sees what a waiting client takes': `
    w: WATCH k
    w: MULTI
    w: PING
    a~ BLPOP k 0
    z: RPUSH k 1
    a< 1
    w: EXEC
    w: EXEC
  `,
  'CLIENT REPLY of the waiting client and of the one that serves': `
    z: CLIENT LIST ID {id:a}
    a~ CLIENT REPLY SKIP
    a~ BLPOP k 0
    z: RPUSH k 1
    a: PING first
    a~ BLPOP k 0
    b~ CLIENT REPLY OFF
    b~ RPUSH k 2
    a< 1
    a~ BLPOP k 0
    b~ CLIENT UNBLOCK {id:a}
    a< 1
    b: CLIENT REPLY ON
  `,
  'CLIENT PAUSE: what waits goes on waiting': `
    a~ BLPOP k 0
    z: CLIENT PAUSE 100000 WRITE
    b~ RPUSH k 1
    c~ BLPOP k 0
    z: LLEN k
    z: CLIENT UNPAUSE
    b< 1
    a< 1
    z: RPUSH k 2
    c< 1
    a~ BLPOP k 0.02
    z: CLIENT PAUSE 100000 WRITE
    a< 1
    z: CLIENT UNPAUSE
    z: EXISTS k
  `,
};

export const blockingScripts: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(scripts).map(([name, script]) => [
    name,
    script.replace(/^\s*\w+~.*$/gm, '$&\ny: PING\ny: PING'),
  ]),
);

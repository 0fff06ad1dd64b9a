// CLIENT and its subcommands.

export const clientScripts: Readonly<Record<string, string>> = {
  names: `
    a: CLIENT GETNAME
    a: CLIENT SETNAME name
    a: CLIENT GETNAME
    a: CLIENT SETNAME ""
    a: CLIENT GETNAME
    a: CLIENT SETNAME "with space"
    a: CLIENT SETNAME "new\\nline"
    a: CLIENT SETNAME "\\x80"
    a: CLIENT SETNAME "~!"
    a: CLIENT GETNAME
    a: CLIENT SETNAME
    a: CLIENT SETNAME a b
    a: CLIENT GETNAME x
    a: HELLO 3
    a: CLIENT SETNAME ""
    a: CLIENT GETNAME
  `,
  'INFO and LIST': `
    a: CLIENT SETNAME lister
    a: CLIENT INFO
    a: CLIENT LIST ID {id:a}
    a: HELLO 3
    a: CLIENT INFO
    a: CLIENT LIST ID {id:a}
    a: SELECT 5
    b: PING
    b: SELECT 3
    a: CLIENT LIST ID {id:b}
    b: MULTI
    b: PING
    a: CLIENT LIST ID {id:b}
    b: EXEC
    b: WATCH x y
    a: CLIENT LIST ID {id:b}
    a: CLIENT LIST ID {id:a} {id:b}
    b: CLIENT NO-EVICT ON
    a: CLIENT LIST ID {id:b}
    b: CONFIG GET nosuch
    a: CLIENT LIST ID {id:b}
    a: CLIENT LIST ID 999999999
    a: CLIENT LIST ID abc
    a: CLIENT LIST ID 0
    a: CLIENT LIST ID -1
    a: CLIENT LIST ID
    a: CLIENT LIST TYPE normal ID {id:a}
    a: CLIENT LIST TYPE master
    a: CLIENT LIST TYPE replica
    a: CLIENT LIST TYPE slave
    a: CLIENT LIST TYPE pubsub
    a: CLIENT LIST TYPE junk
    a: CLIENT LIST TYPE
    a: CLIENT LIST JUNK x
    a: CLIENT LIST x
    a: CLIENT INFO x
  `,
  'KILL by address, old form': `
    a: PING
    b: PING
    a: CLIENT KILL {addr:b}
    b!
    a: CLIENT KILL {addr:b}
    a: CLIENT KILL 1.2.3.4:5
    a: CLIENT KILL ""
    a: CLIENT KILL
    a: CLIENT KILL {addr:a}
    a!
  `,
  'KILL by filters': `
    a: CLIENT KILL ID {id:a}
    a: CLIENT KILL ID {id:a} SKIPME yes
    a: CLIENT KILL ID {id:b}
    b!
    a: CLIENT KILL ADDR {addr:c}
    c!
    a: CLIENT KILL ID {id:d} ADDR 1.2.3.4:5
    d: PING
    a: CLIENT KILL USER nobody
    a: CLIENT KILL TYPE pubsub
    a: CLIENT KILL TYPE replica
    a: CLIENT KILL TYPE master
    a: CLIENT KILL TYPE junk
    a: CLIENT KILL ID abc
    a: CLIENT KILL ID 0
    a: CLIENT KILL ID -5
    a: CLIENT KILL ID 5 SKIPME maybe
    a: CLIENT KILL ID
    a: CLIENT KILL ID 5 ADDR
    a: CLIENT KILL JUNK x
    a: CLIENT KILL LADDR 9.9.9.9:9
    a: CLIENT KILL ID 987654321 TYPE normal
    d: CLIENT KILL LADDR {laddr} ID {id:a}
    a!
    d: CLIENT KILL ID {id:d} SKIPME no
    d!
  `,
  'KILL everybody of a type': `
    a: PING
    b: PING
    c: PING
    a: CLIENT KILL TYPE normal SKIPME yes
    b!
    c!
    a: PING
    d: PING
    a: CLIENT KILL USER default
    d!
    a: PING
    a: CLIENT KILL TYPE normal SKIPME no
    a!
  `,
  'KILL inside a transaction closes after the reply': `
    a: MULTI
    a: CLIENT KILL ID {id:b}
    a: PING
    a: EXEC
    b!
    a: PING
  `,
  'NO-EVICT': `
    a: CLIENT NO-EVICT ON
    a: CLIENT NO-EVICT off
    a: CLIENT NO-EVICT maybe
    a: CLIENT NO-EVICT
  `,
  'REPLY OFF, SKIP and ON': `
    a: CLIENT REPLY ON
    a: CLIENT REPLY JUNK
    a: CLIENT REPLY
    a~ CLIENT REPLY OFF
    a~ PING
    a~ SET k v
    a~ NOSUCH
    a: CLIENT REPLY ON
    a: GET k
    a~ CLIENT REPLY SKIP
    a~ PING lost
    a: PING found
    a~ CLIENT REPLY SKIP
    a~ CLIENT REPLY SKIP
    a~ PING lost
    a: PING found
    a~ CLIENT REPLY OFF
    a~ CLIENT REPLY SKIP
    a~ PING lost
    a: CLIENT REPLY ON
    a: PING found
    a~ CLIENT REPLY SKIP
    a~ MULTI
    a: PING
    a: EXEC
    a~ CLIENT REPLY OFF
    a: RESET
    a: DEL k
    a: FLUSHALL
  `,
  'PAUSE: errors and unpause': `
    a: CLIENT PAUSE
    a: CLIENT PAUSE abc
    a: CLIENT PAUSE -1
    a: CLIENT PAUSE 1 JUNK
    a: CLIENT PAUSE 0
    a: CLIENT PAUSE 100000 WRITE
    a: GET k
    b~ SET k paused
    a: GET k
    a: CLIENT UNPAUSE
    b< 1
    a: GET k
    a: CLIENT UNPAUSE
    a: CLIENT UNPAUSE x
    a: FLUSHALL
  `,
  'PAUSE WRITE holds writes and transactions that write, not reads': `
    a: SET k 0
    a: CLIENT PAUSE 100000 WRITE
    b: GET k
    b: MULTI
    b: GET k
    b: EXEC
    c: MULTI
    c~ INCR k
    c~ EXEC
    d: PING
    d~ SET other v
    e: EXISTS k
    e: CONFIG GET nosuch
    a: CLIENT UNPAUSE
    c< 2
    d< 1
    a: DEL k other
  `,
  'PAUSE ALL ends by itself': `
    a: CLIENT PAUSE 60 ALL
    b~ PING
    c~ GET k
    b< 1
    c< 1
    a: PING
  `,
};

// PING, ECHO, HELLO, AUTH, SELECT, RESET, QUIT: dialogues on one connection or a few.

export const connectionScripts: Readonly<Record<string, string>> = {
  'PING and ECHO': `
    a: PING
    a: PING hello
    a: PING a b
    a: ping ""
    a: ECHO "\\x00\\xff"
    a: ECHO
    a: ECHO a b
    a: HELLO 3
    a: PING
    a: PING hello
    a: ECHO ""
  `,
  'HELLO in all its forms': `
    a: HELLO
    a: HELLO 2
    a: HELLO 3
    a: HELLO
    a: GET nosuch
    a: HELLO 2
    a: GET nosuch
    a: HELLO 1
    a: HELLO 4
    a: HELLO abc
    a: HELLO ""
    a: HELLO 3.0
    a: HELLO -3
    a: HELLO 99999999999999999999
    a: HELLO 3 SETNAME name
    a: CLIENT GETNAME
    a: HELLO 2 SETNAME "bad name"
    a: CLIENT GETNAME
    a: HELLO 3 SETNAME
    a: HELLO 3 AUTH default
    a: HELLO 3 AUTH nobody x
    a: HELLO 3 AUTH default x
    a: HELLO 2 AUTH default x SETNAME other
    a: CLIENT GETNAME
    a: HELLO 3 JUNK
    a: HELLO 3 SETNAME x JUNK
    a: HELLO 3 SETNAME x SETNAME y
    a: CLIENT GETNAME
    a: hello 3 setname ""
    a: CLIENT GETNAME
  `,
  'AUTH without a password': `
    a: AUTH x
    a: AUTH default x
    a: AUTH nobody x
    a: AUTH a b c
    a: AUTH
    a: PING
  `,
  'AUTH with requirepass': `
    a: CONFIG SET requirepass sesame
    a: GET k
    b: GET k
    b: PING
    b: NOSUCH
    b: GET
    b: MULTI
    b: EXEC
    b: HELLO
    b: HELLO 3
    b: RESET
    b: COMMAND COUNT
    b: CLIENT ID
    b: AUTH wrong
    b: AUTH default wrong
    b: AUTH nobody sesame
    b: AUTH a b c
    b: HELLO 3 AUTH default wrong
    b: HELLO 3 AUTH default sesame SETNAME inside
    b: GET k
    b: CLIENT GETNAME
    c: AUTH sesame
    c: GET k
    c: RESET
    c: GET k
    c: AUTH default sesame
    c: GET k
    c: AUTH wrong
    c: GET k
    d: QUIT
    a: CONFIG GET requirepass
    a: CONFIG SET requirepass ""
    d/
    e: GET k
    c: AUTH x
  `,
  'SELECT and databases': `
    a: SELECT 0
    a: SELECT 15
    a: SELECT 16
    a: SELECT -1
    a: SELECT abc
    a: SELECT ""
    a: SELECT 99999999999999999999
    a: SELECT
    a: SELECT 1 2
    a: SET k v
    b: EXISTS k
    b: SELECT 1
    b: SWAPDB 1 15
    b: GET k
    a: GET k
    a: RESET
    a: EXISTS k
    a: FLUSHALL
  `,
  RESET: `
    a: HELLO 3
    a: CLIENT SETNAME n
    a: SELECT 3
    a: MULTI
    a: SET a 1
    a: RESET
    a: EXEC
    a: CLIENT GETNAME
    a: GET a
    a: RESET x
    a: WATCH w
    a: RESET
    b: SET w 1
    a: MULTI
    a: PING
    a: EXEC
    b: DEL w
  `,
  'RESET while unauthenticated, QUIT answers and closes': `
    a: PING
    a~ QUIT
    a!
    b~ QUIT x
    b!
    c: MULTI
    c~ QUIT
    c!
  `,
  'commands after QUIT in one packet are not answered': `
    a# "*1\\r\\n$4\\r\\nPING\\r\\n*1\\r\\n$4\\r\\nQUIT\\r\\n*1\\r\\n$4\\r\\nPING\\r\\n"
  `.replaceAll('"', ''),
  'transactions and errors': `
    a: EXEC
    a: DISCARD
    a: MULTI
    a: MULTI
    a: WATCH k
    a: SET k 1
    a: NOSUCH a b
    a: EXEC
    a: MULTI
    a: GET
    a: PING
    a: DISCARD
    a: MULTI x
    a: EXEC x
    a: MULTI
    a: EXEC
    a: MULTI
    a: INCR k
    a: SET k abc
    a: INCR k
    a: GET k
    a: SELECT 1
    a: SET only1 x
    a: SELECT 99
    a: CLIENT GETNAME
    a: HELLO 3
    a: PING
    a: CONFIG GET port-nosuch
    a: TIME
    a: CLIENT ID
    a: EXEC
    a: GET only1
    a: DBSIZE
    a: UNWATCH x
    a: WATCH
    a: FLUSHALL
  `,
  'WATCH and what breaks it': `
    a: SET k 1
    a: WATCH k
    b: SET k 1
    a: MULTI
    a: PING
    a: EXEC
    a: WATCH k
    b: EXPIRE k 1000
    a: MULTI
    a: EXEC
    a: WATCH k
    b: TOUCH k
    a: MULTI
    a: EXEC
    a: WATCH k
    b: SELECT 1
    b: SET k 5
    a: MULTI
    a: EXEC
    a: WATCH nokey
    b: SELECT 0
    b: FLUSHALL
    a: MULTI
    a: EXEC
    a: SET k 1
    a: WATCH k
    b: FLUSHDB
    a: MULTI
    a: EXEC
    a: WATCH k
    b: SWAPDB 0 1
    a: MULTI
    a: EXEC
    a: WATCH nokey2
    b: SWAPDB 0 2
    a: MULTI
    a: EXEC
    a: WATCH k
    a: SET k 9
    a: MULTI
    a: EXEC
    a: WATCH k
    a: UNWATCH
    b: SET k 10
    a: MULTI
    a: EXEC
    a: WATCH k
    a: MULTI
    a: DISCARD
    b: SET k 11
    a: MULTI
    a: EXEC
    a: PEXPIREAT k 4102444800000
    a: WATCH k
    b: DEL k
    b: SET k 11
    a: MULTI
    a: EXEC
    a: FLUSHALL
  `,
};

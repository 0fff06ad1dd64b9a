// CONFIG GET and SET of the options that Stillframe has with Redis's names; TIME, INFO's forms.
//
// Not asked: `bind`, which is the loopback address by default here, and a `proto-max-bulk-len` out of
// range, since here it cannot be raised above 512 MB.

export const configScripts: Readonly<Record<string, string>> = {
  'GET of options': `
    a: CONFIG GET databases
    a: CONFIG GET maxmemory
    a: CONFIG GET MAXMEMORY
    a: CONFIG GET maxclients
    a: CONFIG GET timeout
    a: CONFIG GET tcp-keepalive
    a: CONFIG GET tcp-backlog
    a: CONFIG GET proto-max-bulk-len
    a: CONFIG GET requirepass
    a: CONFIG GET save
    a: CONFIG GET loglevel
    a: CONFIG GET protected-mode
    a: CONFIG GET unixsocket
    a: CONFIG GET client-output-buffer-limit
    a: CONFIG GET logfile
    a: CONFIG GET nosuch
    a: CONFIG GET ""
    a: CONFIG GET timeou?
    a: CONFIG GET timeout timeout
    a: CONFIG GET timeout maxclien*
    a: CONFIG GET
    a: HELLO 3
    a: CONFIG GET timeout
    a: CONFIG GET nosuch
  `,
  'SET of options': `
    a: CONFIG SET timeout 100
    a: CONFIG GET timeout
    a: CONFIG SET timeout -1
    a: CONFIG SET timeout abc
    a: CONFIG SET timeout ""
    a: CONFIG SET TIMEOUT 0
    a: CONFIG SET timeout 10 tcp-keepalive 200
    a: CONFIG GET timeout tcp-keepalive
    a: CONFIG SET timeout 20 tcp-keepalive abc
    a: CONFIG GET timeout tcp-keepalive
    a: CONFIG SET timeout 20 timeout 30
    a: CONFIG SET timeout 20 nosuch 30
    a: CONFIG GET timeout
    a: CONFIG SET timeout 0 tcp-keepalive 300
    a: CONFIG SET nosuch 1
    a: CONFIG SET timeout
    a: CONFIG SET timeout 1 maxmemory
    a: CONFIG SET
    a: CONFIG SET maxmemory 1gb
    a: CONFIG GET maxmemory
    a: CONFIG SET maxmemory 100KB
    a: CONFIG GET maxmemory
    a: CONFIG SET maxmemory 1x
    a: CONFIG SET maxmemory -1
    a: CONFIG SET maxmemory 0
    a: CONFIG SET loglevel debug
    a: CONFIG GET loglevel
    a: CONFIG SET loglevel junk
    a: CONFIG SET loglevel notice
    a: CONFIG SET protected-mode maybe
    a: CONFIG SET protected-mode no
    a: CONFIG GET protected-mode
    a: CONFIG SET protected-mode yes
    a: CONFIG SET maxclients 0
    a: CONFIG SET maxclients abc
    a: CONFIG SET maxclients 5000
    a: CONFIG GET maxclients
    a: CONFIG SET databases 20
    a: CONFIG SET tcp-backlog 20
    a: CONFIG SET unixsocket /nowhere
    a: CONFIG SET logfile /nowhere
    a: CONFIG SET proto-max-bulk-len 2mb
    a: CONFIG GET proto-max-bulk-len
    a: CONFIG SET proto-max-bulk-len 512mb
    a: CONFIG SET dir /nowhere/at/all
  `,
  'SET save': `
    a: CONFIG SET save "900 1 300 10"
    a: CONFIG GET save
    a: CONFIG SET save "900"
    a: CONFIG SET save "abc 1"
    a: CONFIG SET save "0 1"
    a: CONFIG SET save "1 -1"
    a: CONFIG GET save
    a: CONFIG SET save ""
    a: CONFIG GET save
  `,
  'SET client-output-buffer-limit': `
    a: CONFIG SET client-output-buffer-limit "normal 100mb 10mb 60"
    a: CONFIG GET client-output-buffer-limit
    a: CONFIG SET client-output-buffer-limit "pubsub 1 2"
    a: CONFIG SET client-output-buffer-limit "junk 1 2 3"
    a: CONFIG SET client-output-buffer-limit "normal a b c"
    a: CONFIG SET client-output-buffer-limit "normal 1mb 2mb -1"
    a: CONFIG SET client-output-buffer-limit "normal 0 0 0 slave 256mb 64mb 60 pubsub 32mb 8mb 60"
    a: CONFIG GET client-output-buffer-limit
    a: CONFIG SET client-output-buffer-limit ""
    a: CONFIG GET client-output-buffer-limit
  `,
  'RESETSTAT and REWRITE without a file': `
    a: CONFIG RESETSTAT
    a: CONFIG RESETSTAT x
    a: CONFIG REWRITE
    a: CONFIG REWRITE x
    a: CONFIG JUNK
    a: CONFIG
  `,
  'TIME, DBSIZE and others without arguments': `
    a: TIME
    a: TIME x
    a: DBSIZE x
    a: LASTSAVE
    a: LASTSAVE x
    a: HELLO 3
    a: TIME
  `,
};

// Consumers of groups that wait for entries: who is served, when, and what ends a wait. Written as scripts/blocking.ts.

const scripts: Readonly<Record<string, string>> = {
  'consumers of a group are served in the order of their coming, each entry once': `
    z: XGROUP CREATE s g $ MKSTREAM
    a~ XREADGROUP GROUP g alice BLOCK 0 COUNT 1 STREAMS s >
    b~ XREADGROUP GROUP g bob BLOCK 0 STREAMS s >
    c~ XREADGROUP GROUP g alice BLOCK 0 STREAMS s >
    z: XADD s 1-1 f v
    a< 1
    z: XADD s 1-2 f v
    b< 1
    z: XPENDING s g
    z: XINFO GROUPS s
    z: XADD s 1-3 f v
    c< 1
    z: XADD s 1-4 f v
    z: XADD s 1-5 f v
    a: XREADGROUP GROUP g alice BLOCK 0 COUNT 1 STREAMS s >
    d: HELLO 3
    d: XREADGROUP GROUP g new BLOCK 0 STREAMS s >
    d~ XREADGROUP GROUP g new BLOCK 0 STREAMS s >
    z: XADD s 1-6 f v
    d< 1
    z: XPENDING s g - + 10
    z: XINFO CONSUMERS s g
    z: XINFO GROUPS s
  `,
  'a transaction adds several: the first takes as many as it asks for': `
    z: XGROUP CREATE s g $ MKSTREAM
    a~ XREADGROUP GROUP g a BLOCK 0 COUNT 2 STREAMS s >
    b~ XREADGROUP GROUP g b BLOCK 0 STREAMS s >
    c~ XREADGROUP GROUP g c BLOCK 0 STREAMS s >
    z: MULTI
    z: XADD s 1-1 f v
    z: XADD s 1-2 f v
    z: XADD s 1-3 f v
    z: XADD s 1-4 f v
    z: EXEC
    a< 1
    b< 1
    z: XADD s 1-5 f v
    c< 1
    z: XPENDING s g
  `,
  'groups and readers without one, each for itself': `
    z: XGROUP CREATE s g1 $ MKSTREAM
    z: XGROUP CREATE s g2 $
    a~ XREADGROUP GROUP g1 c BLOCK 0 STREAMS s >
    b~ XREADGROUP GROUP g2 c BLOCK 0 NOACK STREAMS s >
    c~ XREAD BLOCK 0 STREAMS s $
    z: XADD s 1-1 f v
    a< 1
    b< 1
    c< 1
    z: XPENDING s g1
    z: XPENDING s g2
    z: XINFO GROUPS s
  `,
  'several streams': `
    z: XGROUP CREATE s1 g $ MKSTREAM
    z: XGROUP CREATE s2 g $ MKSTREAM
    a~ XREADGROUP GROUP g c BLOCK 0 STREAMS s1 s2 > >
    z: XADD s2 1-1 f v
    a< 1
    a: XREADGROUP GROUP g c BLOCK 0 STREAMS s1 s2 > 0
    a~ XREADGROUP GROUP g c BLOCK 0 STREAMS s2 s1 s2 > > >
    z: XADD s2 1-2 f v
    a< 1
    a~ XREADGROUP GROUP g c BLOCK 0 STREAMS s1 s2 > >
    z: DEL s2
    a< 1
    z: EXISTS s1 s2
  `,
  'the key is deleted, or becomes something else': `
    z: XGROUP CREATE s g $ MKSTREAM
    a~ XREADGROUP GROUP g c BLOCK 0 STREAMS s >
    b~ XREAD BLOCK 0 STREAMS s $
    c~ XREADGROUP GROUP g c BLOCK 0 STREAMS s >
    z: DEL s
    a< 1
    c< 1
    z: XADD s 1-1 f v
    b< 1
    z: XGROUP CREATE s g $
    a~ XREADGROUP GROUP g c BLOCK 0 STREAMS s >
    z: SET s text
    a< 1
    z: DEL s
    z: XGROUP CREATE s g $ MKSTREAM
    a~ XREADGROUP GROUP g c BLOCK 0 STREAMS s >
    z: UNLINK s
    a< 1
    z: XGROUP CREATE s g $ MKSTREAM
    a~ XREADGROUP GROUP g c BLOCK 0 STREAMS s >
    z: FLUSHALL
    a< 1
    z: XGROUP CREATE s g $ MKSTREAM
    a~ XREADGROUP GROUP g c BLOCK 0 STREAMS s >
    z: RENAME s t
    a< 1
    a~ XREADGROUP GROUP g c BLOCK 0 STREAMS t >
    z: MULTI
    z: DEL t
    z: SADD t member
    z: EXEC
    a< 1
    z: DEL t
    z: XGROUP CREATE s g $ MKSTREAM
    a~ XREADGROUP GROUP g c BLOCK 0 STREAMS s >
    z: MULTI
    z: DEL s
    z: XADD s 5-5 f v
    z: EXEC
    a< 1
    z: XGROUP CREATE s g $
    a~ XREADGROUP GROUP g c BLOCK 0 STREAMS s >
    z: XADD t 9-9 f v
    z: COPY t s REPLACE
    a< 1
  `,
  'the key expires or moves': `
    z: XGROUP CREATE s g $ MKSTREAM
    a~ XREADGROUP GROUP g c BLOCK 0 STREAMS s >
    z: PEXPIRE s 1
    a< 1
    z: XGROUP CREATE s g $ MKSTREAM
    a~ XREADGROUP GROUP g c BLOCK 0 STREAMS s >
    z: MOVE s 1
    a< 1
    z: XGROUP CREATE s g $ MKSTREAM
    a~ XREADGROUP GROUP g c BLOCK 0 STREAMS s >
    z: EXPIRE s -1
    a< 1
    z: XGROUP CREATE s g $ MKSTREAM
    a~ XREADGROUP GROUP g c BLOCK 0 STREAMS s >
    z: RENAME s s2
    a< 1
    z: XADD s2 1-1 f v
    z: XGROUP CREATE s g $ MKSTREAM
    a~ XREADGROUP GROUP g c BLOCK 0 STREAMS s >
    z: RENAME s2 s
    a< 1
  `,
  'the group is destroyed': `
    z: XGROUP CREATE s g $ MKSTREAM
    z: XGROUP CREATE s other $
    a~ XREADGROUP GROUP g c BLOCK 0 STREAMS s >
    b~ XREADGROUP GROUP other c BLOCK 0 STREAMS s >
    c~ XREADGROUP GROUP g d BLOCK 0 STREAMS s >
    z: XGROUP DESTROY s nosuch
    z: XGROUP DESTROY s g
    a< 1
    c< 1
    z: XADD s 1-1 f v
    b< 1
    a: XREADGROUP GROUP g c BLOCK 0 STREAMS s >
    z: XGROUP CREATE s g $
    d: HELLO 3
    d~ XREADGROUP GROUP g c BLOCK 0 STREAMS s >
    z: MULTI
    z: XGROUP DESTROY s g
    z: XGROUP CREATE s g 0
    z: EXEC
    d< 1
  `,
  'what moves a group under those that wait': `
    z: XADD s 1-1 f v
    z: XGROUP CREATE s g $
    a~ XREADGROUP GROUP g c BLOCK 0 STREAMS s >
    z: XGROUP SETID s g 0
    z: XADD s 1-2 f v
    a< 1
    a~ XREADGROUP GROUP g c BLOCK 0 STREAMS s >
    z: XGROUP SETID s g 5-0
    z: XADD s 2-1 f v
    z: XADD s 6-1 f v
    a< 1
    a~ XREADGROUP GROUP g c BLOCK 0 STREAMS s >
    z: MULTI
    z: XADD s 7-1 f v
    z: XDEL s 7-1
    z: EXEC
    a< 1
    a~ XREADGROUP GROUP g c BLOCK 0 STREAMS s >
    z: XGROUP DELCONSUMER s g c
    z: XADD s 8-1 f v
    a< 1
    z: XINFO CONSUMERS s g
    z: XINFO GROUPS s
    a~ XREADGROUP GROUP g c BLOCK 0 STREAMS s >
    b: XREADGROUP GROUP g d STREAMS s >
    z: MULTI
    z: XADD s 9-1 f v
    z: XREADGROUP GROUP g d STREAMS s >
    z: EXEC
    z: XADD s 9-2 f v
    a< 1
    a~ XREADGROUP GROUP g c BLOCK 0 STREAMS s >
    z: XSETID s 20-0
    z: XADD s 20-1 f v
    a< 1
  `,
  'history never waits; time limits, CLIENT UNBLOCK, transactions': `
    z: CLIENT UNBLOCK {id:a}
    z: CLIENT UNBLOCK {id:b}
    z: XADD s 1-1 f v
    z: XGROUP CREATE s g 0
    a: XREADGROUP GROUP g c BLOCK 0 STREAMS s 0
    a: XREADGROUP GROUP g c BLOCK 0 STREAMS s >
    a: XREADGROUP GROUP g c BLOCK 0 STREAMS s 0
    a: XREADGROUP GROUP g c BLOCK 10 STREAMS s >
    a: XREADGROUP GROUP g new BLOCK 10 STREAMS s >
    a: XINFO CONSUMERS s g
    a: XREADGROUP GROUP g c BLOCK -1 STREAMS s >
    a: XREADGROUP GROUP g c BLOCK x STREAMS s >
    a: XREADGROUP GROUP g c BLOCK 0 STREAMS none >
    a: XREADGROUP BLOCK 0 STREAMS s >
    a: XREADGROUP GROUP g c BLOCK 0 STREAMS s $
    a~ XREADGROUP GROUP g c BLOCK 0 STREAMS s >
    z: CLIENT UNBLOCK {id:a}
    a< 1
    a~ XREADGROUP GROUP g c BLOCK 0 STREAMS s >
    z: CLIENT UNBLOCK {id:a} ERROR
    a< 1
    b: HELLO 3
    b~ XREADGROUP GROUP g c BLOCK 0 STREAMS s >
    z: CLIENT UNBLOCK {id:b}
    b< 1
    b: XREADGROUP GROUP g c BLOCK 10 STREAMS s >
    b: MULTI
    b: XREADGROUP GROUP g c BLOCK 0 STREAMS s >
    b: XADD s 2-1 f v
    b: XREADGROUP GROUP g c BLOCK 0 STREAMS s >
    b: XGROUP DESTROY s g
    b: XREADGROUP GROUP g c BLOCK 0 STREAMS s >
    b: EXEC
    z: XGROUP CREATE s g $
    a~ XREADGROUP GROUP g c BLOCK 0 STREAMS s >
    a/
    b~ XREADGROUP GROUP g d BLOCK 0 STREAMS s >
    z: PING
    z: XADD s 3-1 f v
    b< 1
  `,
};

export const blockingStreamGroupScripts: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(scripts).map(([name, script]) => [
    name,
    `z: FLUSHALL${script.replace(/^\s*\w+~.*$/gm, '$&\ny: PING\ny: PING')}`,
  ]),
);

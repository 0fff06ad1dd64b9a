// Clients that wait for streams: who is served, when, and by what. Written as scripts/blocking.ts.

const scripts: Readonly<Record<string, string>> = {
  'XREAD, served by what adds an entry': `
    a~ XREAD BLOCK 0 STREAMS s 0
    b: XADD s 1-1 f v
    a< 1
    a: XREAD BLOCK 0 STREAMS s 0
    a~ XREAD BLOCK 0 STREAMS s $
    b: XADD s 1-2 f v g w
    a< 1
    c: HELLO 3
    c~ XREAD BLOCK 0 COUNT 1 STREAMS s t 1-2 0
    b: XADD s 1-3 f v
    c< 1
    c: XREAD COUNT 1 STREAMS s t 1-1 0
    c~ XREAD BLOCK 0 STREAMS s 5
    b: XADD s 4-1 f v
    b: XADD s 5-0 f v
    b: XADD s 5-1 f v
    c< 1
  `,
  'everybody who waits is served': `
    a~ XREAD BLOCK 0 STREAMS s 0
    b~ XREAD BLOCK 0 STREAMS s $
    c~ XREAD BLOCK 0 STREAMS other s 0 1
    d~ XREAD BLOCK 0 STREAMS s 7
    z: XADD s 1-1 f v
    a< 1
    b< 1
    c< 1
    z: XADD s 8-0 f v
    d< 1
    z: XLEN s
  `,
  'several streams, one named twice; the first entry ends it': `
    z: XADD s2 1-1 f v
    a: XREAD BLOCK 0 STREAMS s1 s2 s3 0 0 0
    a: XREAD BLOCK 0 STREAMS s1 s2 s3 s2 0 $ $ 0
    a~ XREAD BLOCK 0 STREAMS s1 s2 s2 0 $ 5
    z: XADD s2 3-1 f v
    a< 1
  `,
  'a stream with news among others': `
    z: XADD s2 1-1 f v
    a~ XREAD BLOCK 0 STREAMS s1 s2 s3 0 $ $
    z: MULTI
    z: XADD s3 1-1 f v
    z: XADD s1 1-1 f v
    z: XADD s3 1-2 f v
    z: EXEC
    a< 1
    a: XREAD STREAMS s1 s2 s3 0 0 0
  `,
  'a transaction serves when it has ended': `
    a~ XREAD BLOCK 0 STREAMS s 0
    z: MULTI
    z: XADD s 1-1 f v
    z: DEL s
    z: EXEC
    z: MULTI
    z: XADD s 1-1 f v
    z: XDEL s 1-1
    z: EXEC
    a< 1
    a~ XREAD BLOCK 0 STREAMS s $
    z: MULTI
    z: XADD s 2-1 f v
    z: XADD s 2-2 f v
    z: XTRIM s MAXLEN 1
    z: EXEC
    a< 1
  `,
  'inside a transaction nobody waits': `
    a: MULTI
    a: XREAD BLOCK 0 STREAMS s 0
    a: XADD s 1-1 f v
    a: XREAD BLOCK 0 STREAMS s 0
    a: XREAD BLOCK 0 STREAMS s $
    a: EXEC
    b: HELLO 3
    b: MULTI
    b: XREAD BLOCK 0 STREAMS s $
    b: XREAD BLOCK 5 STREAMS s 0
    b: EXEC
  `,
  'time limits and errors': `
    a: XREAD BLOCK 10 STREAMS s 0
    a: HELLO 3
    a: XREAD BLOCK 10 STREAMS s $
    a: XREAD BLOCK -1 STREAMS s 0
    a: XREAD BLOCK abc STREAMS s 0
    a: XREAD BLOCK 1.5 STREAMS s 0
    a: XREAD BLOCK 9223372036854775808 STREAMS s 0
    a: XREAD BLOCK 0 COUNT x STREAMS s 0
    a: XREAD BLOCK 0 STREAMS s
    a: XREAD BLOCK 0 STREAMS s t 0
    a: XREAD BLOCK 0 COUNT 3
    a: XREAD STREAMS BLOCK 0
    a: XREAD BLOCK 0 STREAMS s abc
    a: XREAD BLOCK 0 STREAMS s >
    a: XREAD GROUP g c STREAMS s 0
    a: XREAD NOACK STREAMS s 0
    a: XREAD junk STREAMS s 0
    a: SET k text
    a: XREAD BLOCK 0 STREAMS s k 0 0
    a: XREAD BLOCK 0 STREAMS k 0
  `,
  'streams that come by other ways, other types and empty streams': `
    a~ XREAD BLOCK 0 STREAMS s 0
    z: XADD t 3-1 f v
    z: RENAME t s
    a< 1
    z: DEL s
    a~ XREAD BLOCK 0 STREAMS s 0
    z: XADD t 3-1 f v
    z: COPY t s
    a< 1
    z: DEL s
    a~ XREAD BLOCK 0 STREAMS s 0
    z: SET s text
    z: DEL s
    z: RPUSH s element
    z: DEL s
    z: XADD s 1-1 f v
    a< 1
    a~ XREAD BLOCK 0 STREAMS s $
    z: XSETID s 9-9
    z: XDEL s 1-1
    z: XADD s 9-10 f v
    a< 1
    a~ XREAD BLOCK 0 STREAMS s 20
    z: DEL s
    z: XADD s 5-1 f v
    z: XADD s 21-1 f v
    a< 1
    z: SELECT 1
    z: XADD s 30-1 f v
    z: SELECT 0
    a~ XREAD BLOCK 0 STREAMS s 25
    z: SWAPDB 0 1
    a< 1
  `,
  'CLIENT UNBLOCK, and lists and streams at once': `
    z: CLIENT UNBLOCK {id:a}
    z: CLIENT UNBLOCK {id:b}
    a~ XREAD BLOCK 0 STREAMS s 0
    z: CLIENT UNBLOCK {id:a}
    a< 1
    a~ XREAD BLOCK 0 STREAMS s 0
    z: CLIENT UNBLOCK {id:a} ERROR
    a< 1
    b: HELLO 3
    b~ XREAD BLOCK 0 STREAMS s 0
    z: CLIENT UNBLOCK {id:b}
    b< 1
    a~ XREAD BLOCK 0 STREAMS k 0
    b~ BLPOP k 0
    z: RPUSH k 1
    b< 1
    z: XADD k 1-1 f v
    a< 1
    z: CLIENT LIST ID {id:a}
  `,
};

export const blockingStreamScripts: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(scripts).map(([name, script]) => [
    name,
    `${script.replace(/^\s*\w+~.*$/gm, '$&\ny: PING\ny: PING')}\nz: FLUSHALL`,
  ]),
);

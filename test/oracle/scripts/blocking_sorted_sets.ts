// Clients that wait for sorted sets: who is served, when, and by what. Written as scripts/blocking.ts.

const scripts: Readonly<Record<string, string>> = {
  'BZPOPMIN and BZPOPMAX, served by what adds a member': `
    a~ BZPOPMIN k 0
    b: ZADD k 1 one 2 two 3 three
    a< 1
    b: ZRANGE k 0 -1
    a: BZPOPMAX k 0
    a: BZPOPMIN k 0
    a: EXISTS k
    a~ BZPOPMAX k 0
    b: ZINCRBY k 1.5 x
    a< 1
    c: HELLO 3
    c~ BZPOPMIN k 0
    b: ZADD source 1 a 2 b
    b: ZUNIONSTORE k 1 source
    c< 1
    b: ZRANGE k 0 -1
    c~ BZPOPMIN other 0
    b: ZRANGESTORE other source 0 -1
    c< 1
    c~ BZPOPMAX places 0
    b: GEOADD places 13.361389 38.115556 Palermo
    c< 1
    c~ BZPOPMIN named 0
    b: RENAME source named
    c< 1
  `,
  'BZMPOP takes several': `
    a~ BZMPOP 0 2 k1 k2 MAX COUNT 2
    b: ZADD k2 1 a 2 b 3 c
    a< 1
    b: ZRANGE k2 0 -1
    a: BZMPOP 0 2 k1 k2 MIN COUNT 5
    a: BZMPOP 0.01 2 k1 k2 MIN
    a: HELLO 3
    a~ BZMPOP 0 1 k MIN
    b: ZADD k 1.5 a
    a< 1
  `,
  'first come, first served; another type serves nobody': `
    a~ BZPOPMIN k 0
    b~ BZPOPMAX k 0
    z: RPUSH k element
    z: DEL k
    z: ZADD k 1 a 2 b 3 c
    a< 1
    b< 1
    z: ZRANGE k 0 -1
    z: SET s text
    a: BZPOPMIN none s k 0
    z: FLUSHALL
  `,
  'transactions and time limits': `
    a: MULTI
    a: BZPOPMIN k 0
    a: BZMPOP 0 1 k MIN
    a: ZADD k 1 a
    a: BZPOPMAX k 0
    a: EXEC
    a: BZPOPMIN k 0.01
    a: BZPOPMAX k -1
    a: BZPOPMAX k abc
    a: BZMPOP abc 1 k MIN
    a: BZMPOP 0 0 k MIN
    a: BZMPOP 0 1 k MID
    a: BZMPOP 0 1 k MIN COUNT 0
    a: COMMAND GETKEYS BZPOPMIN a b 0
    a: COMMAND GETKEYS BZMPOP 0 2 a b MIN
    a: COMMAND GETKEYS ZUNIONSTORE d 2 a b
    a: COMMAND GETKEYS ZINTER 2 a b WITHSCORES
    a: COMMAND GETKEYS GEORADIUS g 1 1 1 km STORE d
    a: COMMAND GETKEYS GEOSEARCHSTORE d g FROMMEMBER m BYRADIUS 1 km
  `,
};

export const blockingSortedSetScripts: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(scripts).map(([name, script]) => [
    name,
    script.replace(/^\s*\w+~.*$/gm, '$&\ny: PING\ny: PING'),
  ]),
);

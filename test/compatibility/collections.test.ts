// One model of real use of hashes, sets, sorted sets, places and lists, by the typed calls of two clients: a shop's
// sessions, tags, ranking, branches and jobs. A client that does not know a reply's form fails here.
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { spawnServer, type TestServer } from '../support/spawn_server.js';

let server: TestServer;
beforeAll(async () => {
  server = await spawnServer();
});
afterAll(() => server?.stop());

describe.each([2, 3] as const)('ioredis with RESP%i', (protocol) => {
  let redis: Redis;
  beforeAll(async () => {
    redis = new Redis({ port: server.port, host: '127.0.0.1', protocol });
    await redis.flushall();
  });
  afterAll(() => redis?.disconnect());

  test('a session in a hash', async () => {
    expect(await redis.hset('session', { user: 'ada', visits: 1, empty: '' })).toBe(3);
    expect(await redis.hgetall('session')).toEqual({ user: 'ada', visits: '1', empty: '' });
    expect(await redis.hgetall('none')).toEqual({});
    expect(await redis.hincrby('session', 'visits', 41)).toBe(42);
    expect(await redis.hincrbyfloat('session', 'spent', 10.5)).toBe('10.5');
    expect(await redis.hmget('session', 'user', 'none')).toEqual(['ada', null]);
    expect(await redis.hsetnx('session', 'user', 'bob')).toBe(0);
    expect(await redis.hrandfield('session', -2, 'WITHVALUES')).toHaveLength(4);
    const [cursor, pairs] = await redis.hscan('session', 0, 'MATCH', 'u*');
    expect([cursor, pairs]).toEqual(['0', ['user', 'ada']]);
    expect(await redis.hdel('session', 'user', 'empty', 'none')).toBe(2);
    expect((await redis.hkeys('session')).sort()).toEqual(['spent', 'visits']);
  });

  test('tags in sets', async () => {
    expect(await redis.sadd('red', 'shoe', 'hat', '7')).toBe(3);
    expect(await redis.sadd('wool', 'hat', 'sock')).toBe(2);
    expect(await redis.sinter('red', 'wool')).toEqual(['hat']);
    expect((await redis.sunion('red', 'wool')).sort()).toEqual(['7', 'hat', 'shoe', 'sock']);
    expect(await redis.sdiffstore('plain', 'red', 'wool')).toBe(2);
    expect(await redis.sintercard(2, 'red', 'wool', 'LIMIT', 1)).toBe(1);
    expect(await redis.smismember('red', 'hat', 'sock')).toEqual([1, 0]);
    expect(await redis.smove('red', 'wool', 'shoe')).toBe(1);
    const found: string[] = [];
    for await (const members of redis.sscanStream('wool')) found.push(...(members as string[]));
    expect(found.sort()).toEqual(['hat', 'shoe', 'sock']);
    expect(['hat', '7']).toContain(await redis.spop('red'));
  });

  test('a ranking in a sorted set', async () => {
    expect(await redis.zadd('rank', 1, 'a', 2.5, 'b', 'inf', 'c')).toBe(3);
    expect(await redis.zadd('rank', 'GT', 'CH', 3, 'a', 1, 'b')).toBe(1);
    expect(await redis.zrange('rank', 0, '-1', 'WITHSCORES')).toEqual([
      ...['b', '2.5', 'a', '3', 'c', 'inf'],
    ]);
    expect(await redis.zrange('rank', '+inf', '(2.5', 'BYSCORE', 'REV')).toEqual(['c', 'a']);
    expect(await redis.zincrby('rank', 0.5, 'b')).toBe('3');
    expect(await redis.zrevrank('rank', 'c')).toBe(0);
    expect(await redis.zscore('rank', 'none')).toBeNull();
    expect(await redis.zmscore('rank', 'a', 'none')).toEqual(['3', null]);
    expect(await redis.zunionstore('twice', 2, 'rank', 'rank', 'WEIGHTS', 1, 2)).toBe(3);
    expect(await redis.zpopmin('twice')).toEqual(['a', '9']);
    expect(await redis.bzpopmax('none', 'twice', 1)).toEqual(['twice', 'c', 'inf']);
    expect(await redis.zmpop(1, 'twice', 'MIN')).toEqual(['twice', [['b', '9']]]);
  });

  test('branches on the map', async () => {
    const added = await redis.geoadd('map', 13.361389, 38.115556, 'P', 15.087269, 37.502669, 'C');
    expect(added).toBe(2);
    expect(await redis.geodist('map', 'P', 'C', 'KM')).toBe('166.2742');
    expect(await redis.geohash('map', 'P')).toEqual(['sqc8b49rny0']);
    const near = await redis.geosearch('map', 'FROMMEMBER', 'P', 'BYRADIUS', 200, 'KM', 'ASC');
    expect(near).toEqual(['P', 'C']);
  });

  test('jobs in lists, sorted by the fields of hashes', async () => {
    await redis.rpush('jobs', '1', '2', '3');
    for (const [job, urgency] of Object.entries({ 1: 5, 2: 9, 3: 7 })) {
      await redis.hset(`job:${job}`, { urgency, name: `job ${job}` });
    }
    const sorted = await redis.sort('jobs', 'BY', 'job:*->urgency', 'GET', 'job:*->name', 'DESC');
    expect(sorted).toEqual(['job 2', 'job 3', 'job 1']);
    expect(await redis.lmove('jobs', 'doing', 'LEFT', 'RIGHT')).toBe('1');
    expect(await redis.lrem('doing', 1, '1')).toBe(1);
    expect(await redis.blmpop(1, 1, 'jobs', 'RIGHT', 'COUNT', 5)).toEqual(['jobs', ['3', '2']]);
  });

  test('a value taken away as bytes and brought back', async () => {
    await redis.zadd('moved', 1, 'a', 2, 'b');
    const payload = await redis.dumpBuffer('moved');
    expect(await redis.restore('back', 60_000, payload, 'REPLACE')).toBe('OK');
    expect(await redis.zrange('back', 0, '-1', 'WITHSCORES')).toEqual(['a', '1', 'b', '2']);
    expect(await redis.pttl('back')).toBeGreaterThan(50_000);
    await expect(redis.restore('back', 0, payload)).rejects.toThrow(/^BUSYKEY/);
    expect(await redis.dumpBuffer('none')).toBeNull();
  });

  test('readings in a stream', async () => {
    const first = await redis.xadd('readings', '*', 'celsius', 21.5, 'room', 'hall');
    expect(first).toMatch(/^\d+-0$/);
    expect(
      await redis.xadd('readings', 'MAXLEN', '~', 1000, '9999999999999-1', 'celsius', 22),
    ).toBe('9999999999999-1');
    expect(await redis.xadd('none', 'NOMKSTREAM', '*', 'a', 'b')).toBeNull();
    expect(await redis.xlen('readings')).toBe(2);
    expect(await redis.xrange('readings', '-', '+', 'COUNT', 1)).toEqual([
      [first, ['celsius', '21.5', 'room', 'hall']],
    ]);
    expect(await redis.xrevrange('readings', '+', `(${first}`)).toEqual([
      ['9999999999999-1', ['celsius', '22']],
    ]);
    const read = await redis.xread(
      'COUNT',
      5,
      'BLOCK',
      1000,
      'STREAMS',
      'readings',
      first as string,
    );
    expect(read).toEqual([['readings', [['9999999999999-1', ['celsius', '22']]]]]);
    expect(await redis.xread('BLOCK', 1, 'STREAMS', 'readings', '$')).toBeNull();
    expect(await redis.xdel('readings', first as string, '1-1')).toBe(1);
    expect(await redis.xtrim('readings', 'MAXLEN', 0)).toBe(1);
    expect(await redis.call('XSETID', 'readings', '9999999999999-9')).toBe('OK');
    expect(await redis.type('readings')).toBe('stream');
  });
});

describe.each([2, 3] as const)('node-redis with RESP%i', (protocol) => {
  const connect = async () => {
    const socket = { port: server.port, host: '127.0.0.1' };
    return await createClient({ socket, RESP: protocol }).connect();
  };
  let client: Awaited<ReturnType<typeof connect>>;
  beforeAll(async () => {
    client = await connect();
    await client.flushAll();
  });
  afterAll(() => client?.destroy());

  test('a session in a hash', async () => {
    expect(await client.hSet('session', { user: 'ada', visits: 1, empty: '' })).toBe(3);
    const session = await client.hGetAll('session');
    expect({ ...session }).toEqual({ user: 'ada', visits: '1', empty: '' });
    expect(await client.hIncrBy('session', 'visits', 41)).toBe(42);
    expect(await client.hIncrByFloat('session', 'spent', 10.5)).toBe('10.5');
    expect(await client.hmGet('session', ['user', 'none'])).toEqual(['ada', null]);
    const random = await client.hRandFieldCountWithValues('session', -2);
    expect(random).toHaveLength(2);
    expect(await client.hScan('session', '0', { MATCH: 'u*' })).toEqual({
      cursor: '0',
      entries: [{ field: 'user', value: 'ada' }],
    });
    expect(await client.hDel('session', ['user', 'empty', 'none'])).toBe(2);
    expect((await client.hKeys('session')).sort()).toEqual(['spent', 'visits']);
    expect(await client.hExpire('session', ['spent', 'none'], 100)).toEqual([1, -2]);
  });

  test('tags in sets', async () => {
    expect(await client.sAdd('red', ['shoe', 'hat', '7'])).toBe(3);
    expect(await client.sAdd('wool', ['hat', 'sock'])).toBe(2);
    expect(await client.sInter(['red', 'wool'])).toEqual(['hat']);
    expect([...(await client.sUnion(['red', 'wool']))].sort()).toEqual([
      ...['7', 'hat', 'shoe', 'sock'],
    ]);
    expect(await client.sDiffStore('plain', ['red', 'wool'])).toBe(2);
    expect(await client.sInterCard(['red', 'wool'], { LIMIT: 1 })).toBe(1);
    expect(await client.smIsMember('red', ['hat', 'sock'])).toEqual([1, 0]);
    expect([...(await client.sMembers('wool'))].sort()).toEqual(['hat', 'sock']);
    expect(['shoe', 'hat', '7']).toContain(await client.sPop('red'));
  });

  test('a ranking in a sorted set', async () => {
    const members = [
      { score: 1, value: 'a' },
      { score: 2.5, value: 'b' },
      { score: Number.POSITIVE_INFINITY, value: 'c' },
    ];
    expect(await client.zAdd('rank', members)).toBe(3);
    expect(await client.zRangeWithScores('rank', 0, -1)).toEqual(
      members.map(({ score, value }) => ({ value, score })),
    );
    expect(await client.zRange('rank', '+inf', '(1', { BY: 'SCORE', REV: true })).toEqual([
      ...['c', 'b'],
    ]);
    expect(await client.zIncrBy('rank', 0.5, 'b')).toBe(3);
    expect(await client.zScore('rank', 'none')).toBeNull();
    expect(await client.zmScore('rank', ['a', 'none'])).toEqual([1, null]);
    expect(await client.zPopMin('rank')).toEqual({ value: 'a', score: 1 });
    expect(await client.bzPopMax(['none', 'rank'], 1)).toEqual({
      ...{ key: 'rank', value: 'c', score: Number.POSITIVE_INFINITY },
    });
    expect(await client.zmPop(['none', 'rank'], 'MIN')).toEqual({
      ...{ key: 'rank', members: [{ value: 'b', score: 3 }] },
    });
    expect(await client.zmPop('rank', 'MIN')).toBeNull();
  });

  test('branches on the map', async () => {
    const places = [
      { longitude: 13.361389, latitude: 38.115556, member: 'P' },
      { longitude: 15.087269, latitude: 37.502669, member: 'C' },
    ];
    expect(await client.geoAdd('map', places)).toBe(2);
    expect(Number(await client.geoDist('map', 'P', 'C', 'km'))).toBe(166.2742);
    expect(await client.geoHash('map', 'P')).toEqual(['sqc8b49rny0']);
    const near = { radius: 200, unit: 'km' } as const;
    expect(await client.geoSearch('map', 'P', near, { SORT: 'ASC' })).toEqual(['P', 'C']);
    const [place] = await client.geoPos('map', 'P');
    expect(Number(place?.longitude)).toBeCloseTo(13.361389, 5);
  });

  test('jobs in lists, sorted by the fields of hashes', async () => {
    await client.rPush('jobs', ['1', '2', '3']);
    for (const [job, urgency] of Object.entries({ 1: 5, 2: 9, 3: 7 })) {
      await client.hSet(`job:${job}`, { urgency, name: `job ${job}` });
    }
    const options = { BY: 'job:*->urgency', GET: 'job:*->name', DIRECTION: 'DESC' } as const;
    expect(await client.sort('jobs', options)).toEqual(['job 2', 'job 3', 'job 1']);
    expect(await client.lMove('jobs', 'doing', 'LEFT', 'RIGHT')).toBe('1');
    expect(await client.blmPop(1, ['jobs'], 'RIGHT', { COUNT: 5 })).toEqual(['jobs', ['3', '2']]);
  });

  test('readings in a stream', async () => {
    const first = await client.xAdd('readings', '*', { celsius: '21.5', room: 'hall' });
    expect(first).toMatch(/^\d+-0$/);
    const TRIM = { strategy: 'MAXLEN', strategyModifier: '~', threshold: 1000 } as const;
    const second = '9999999999999-1';
    expect(await client.xAdd('readings', second, { celsius: '22' }, { TRIM })).toBe(second);
    expect(await client.xLen('readings')).toBe(2);
    const entry = { id: second, message: { celsius: '22' } };
    const plain = (entries: { id: string; message: Record<string, string> }[] | null) =>
      entries?.map(({ id, message }) => ({ id, message: { ...message } }));
    const range = await client.xRange('readings', `(${first}`, '+');
    expect(plain(range)).toEqual([entry]);
    expect(plain(await client.xRevRange('readings', '+', '-', { COUNT: 1 }))).toEqual([entry]);
    const streams = [{ key: 'readings', id: first }];
    const read = await client.xRead(streams, { COUNT: 5, BLOCK: 1000 });
    expect(JSON.parse(JSON.stringify(read))).toEqual([{ name: 'readings', messages: [entry] }]);
    expect(await client.xRead([{ key: 'readings', id: '$' }], { BLOCK: 1 })).toBeNull();
    const about = await client.xInfoStream('readings');
    expect(about.length).toBe(2);
    expect(about['last-generated-id']).toBe(second);
    expect(about['first-entry']?.id).toBe(first);
    expect(await client.xDel('readings', [first, '1-1'])).toBe(1);
    expect(await client.xTrim('readings', 'MAXLEN', 0)).toBe(1);
    expect(await client.xSetId('readings', '9999999999999-9')).toBe('OK');
  });
});

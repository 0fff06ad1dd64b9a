// The loads of the types workload. Their order counts: what is pushed is then popped, so that no command finds
// its key empty. Adding a command is adding a line here.
import { repeated } from '../load/loader.js';
import type { CostRow } from './request_cost.js';

/** What redis-benchmark draws its random numbers from: members of one large value, or keys of small ones. */
const MEMBERS = 1_000_000;
/** Small values of each type. */
const SMALL_VALUES = 100_000;
/** The list that LRANGE reads. */
const RANGE_ELEMENTS = 1000;
/** The sorted set that ZRANGE reads. */
const SORTED_MEMBERS = 1_000_000;

const PIPELINE = 16;
const CONNECTIONS = 50;
/** About 0.4 s of the peer: a row that is shorter counts what V8 compiles for it. */
const REQUESTS = 400_000;
/** Not more than there is to pop of what REQUESTS random members of MEMBERS made. */
const POPS = 200_000;
const VALUE = 'v'.repeat(16);
const RANDOM = '__rand_int__';

/** Every type row should cost at most so much of the peer's CPU time. */
const CPU_RATIO = 0.7;

type Varied = Partial<Pick<CostRow['load'], 'requests' | 'keys'>>;

function row(id: string, label: string, command: string, varied: Varied = {}): CostRow {
  return {
    id,
    label,
    cpuRatio: CPU_RATIO,
    load: {
      command: command.split(' '),
      pipeline: PIPELINE,
      connections: CONNECTIONS,
      requests: REQUESTS,
      keys: MEMBERS,
      ...varied,
    },
  };
}

const small: Varied = { keys: SMALL_VALUES };

function lrange(elements: number, requests: number): CostRow {
  const command = `LRANGE range 0 ${elements - 1}`;
  return row(`lrange-${elements}`, `LRANGE of ${elements} elements`, command, { requests });
}

/** What the rows read, and the small values that they change; the large ones are made by the rows. */
export interface TypeData {
  readonly command: readonly string[];
  readonly times: number;
  /** Not fewer where the data is divided. */
  readonly fixed?: boolean;
}

export const TYPE_DATA: readonly TypeData[] = [
  { command: ['RPUSH', 'list:{0}', ...repeated(20, () => [VALUE])], times: SMALL_VALUES },
  {
    command: ['SADD', 'set:{0}', ...repeated(20, (i) => [String(1e12 + i * 4999)])],
    times: SMALL_VALUES,
  },
  {
    command: ['HSET', 'hash:{0}', ...repeated(10, (i) => [`field:${i}`, VALUE])],
    times: SMALL_VALUES,
  },
  {
    command: ['ZADD', 'zset:{0}', ...repeated(10, (i) => [String(i), `member:${i}`])],
    times: SMALL_VALUES,
  },
  { command: ['SET', 'key:{0}', VALUE], times: MEMBERS },
  { command: ['RPUSH', 'range', 'element:{0}'], times: RANGE_ELEMENTS, fixed: true },
  {
    command: ['ZADD', 'sorted', ...repeated(10, (i) => [`{${i}}`, `member:{${i}}`])],
    times: SORTED_MEMBERS / 10,
    fixed: true,
  },
];

/** Popped as often as pushed, before and while measured; of a set or sorted set less often than added. */
export const TYPE_ROWS: readonly CostRow[] = [
  row('lpush', 'LPUSH, one list', `LPUSH list ${VALUE}`),
  row('rpush', 'RPUSH, one list', `RPUSH list ${VALUE}`),
  row('lpop', 'LPOP, one list', 'LPOP list'),
  row('rpop', 'RPOP, one list', 'RPOP list'),
  row('rpush-small', 'RPUSH, 100k lists of 20', `RPUSH list:${RANDOM} ${VALUE}`, small),
  row('lpop-small', 'LPOP, 100k lists of 20', `LPOP list:${RANDOM}`, small),
  row('sadd', 'SADD, one set', `SADD set element:${RANDOM}`),
  row('spop', 'SPOP, one set', 'SPOP set', { requests: POPS }),
  row('sadd-small', 'SADD, 100k sets of 20 integers', `SADD set:${RANDOM} 1${RANDOM}`, small),
  row('hset', 'HSET, one hash', `HSET hash field:${RANDOM} ${VALUE}`),
  row(
    'hset-small',
    'HSET, 100k hashes of 10 fields',
    `HSET hash:${RANDOM} field:5 ${VALUE}`,
    small,
  ),
  row('zadd', 'ZADD, one sorted set', `ZADD zset ${RANDOM} element:${RANDOM}`),
  row('zpopmin', 'ZPOPMIN', 'ZPOPMIN zset', { requests: POPS }),
  row(
    'zadd-small',
    'ZADD, 100k sorted sets of 10',
    `ZADD zset:${RANDOM} ${RANDOM} member:5`,
    small,
  ),
  row('zrange', 'ZRANGE of 10 by rank, 1M members', 'ZRANGE sorted 500000 500009'),
  row('zrank', 'ZRANK, 1M members', `ZRANK sorted member:${RANDOM}`, {
    keys: SORTED_MEMBERS,
  }),
  row('xadd', 'XADD, one stream, 1 field', `XADD stream * field ${VALUE}`),
  row('xadd-maxlen', 'XADD with MAXLEN ~ 1000', `XADD capped MAXLEN ~ 1000 * field ${VALUE}`),
  lrange(100, 30_000),
  lrange(300, 12_000),
  lrange(500, 8_000),
  lrange(600, 6_000),
  row('mset', 'MSET of 10 keys', `MSET${` key:${RANDOM} ${VALUE}`.repeat(10)}`, {
    requests: 40_000,
  }),
];

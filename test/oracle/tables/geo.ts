// Commands on places: some hundred places around a few towns and at the edges of the map, every option.
import type { Arg, Command } from '../../support/raw_client.js';
import type { CommandTable, Generator } from '../generator.js';

export const GEO_KEYS: readonly string[] = ['g1', 'g2', 'gs', 'str', 'none'];

const key = (g: Generator): string =>
  g.random.chance(0.95) ? g.random.pick(['g1', 'g2']) : g.random.pick(['str', 'none', 'gs']);
const target = (g: Generator): string => g.random.pick(['gs', 'g2']);

const TOWNS: readonly (readonly [longitude: number, latitude: number])[] = [
  [13.361389, 38.115556],
  [15.087269, 37.502669],
  [-0.1, 51.5],
  [179.99, 0.01],
  [-179.99, -0.01],
  [25, 84.9],
  [0, 0],
  [-70, -66.5],
];

/** The number of a place decides where it is, so that two places hardly ever have the same distance. */
function degrees(serial: number): [Arg, Arg] {
  const [longitude, latitude] = TOWNS[serial % TOWNS.length]!;
  const east = Math.sin(serial * 12.9898) * (serial % 5 === 0 ? 8 : 0.3);
  const north = Math.sin(serial * 78.233) * (serial % 7 === 0 ? 4 : 0.15);
  const wrapped = ((longitude + east + 540) % 360) - 180;
  const clamped = Math.max(-85, Math.min(85, latitude + north));
  return [wrapped.toFixed(6), clamped.toFixed(6)];
}

const serial = (g: Generator): number => g.random.below(120);
const member = (g: Generator): Arg => `place:${serial(g)}`;

function point(g: Generator): [Arg, Arg] {
  if (g.random.chance(0.04)) {
    return g.random.pick([
      ['200', '1'],
      ['1', '86'],
      ['x', '1'],
      ['1', ''],
      ['-180', '-85.05112878'],
      ['180', '85.05112878'],
      ['-180', '85.05112878'],
      ['180', '48.01'],
      ['-180.1', '1e300'],
    ]);
  }
  const town = g.random.pick(TOWNS);
  return [town[0] + g.random.between(-100, 100) / 500, town[1] + g.random.between(-5, 5) / 500];
}

const unit = (g: Generator): Arg =>
  g.random.chance(0.97) ? g.random.pick(['m', 'km', 'ft', 'mi', 'KM']) : g.random.pick(['', 'x']);

function size(g: Generator): [Arg, Arg] {
  if (g.random.chance(0.03)) return [g.random.pick([-1, 'x', '', 'nan', 0]), unit(g)];
  return g.random.pick([
    [g.random.between(1, 60), 'km'],
    [g.random.between(1, 3000), 'km'],
    [g.random.between(1, 9000), 'm'],
    [g.random.between(1, 500), 'mi'],
    [g.random.between(1, 99_000), 'ft'],
  ]);
}

function shared(g: Generator, withs: number): Arg[] {
  const r = g.random;
  return g.options([
    [withs, () => ['WITHCOORD']],
    [withs, () => ['WITHDIST']],
    [withs, () => ['WITHHASH']],
    [0.5, () => [r.pick(['ASC', 'DESC'])]],
    [0.3, () => ['COUNT', r.pick([1, 3, 10, 1000, 0, -1, 'x'])]],
    [0.03, () => [r.pick(['ANY', 'COUNT', 'STORE', 'STOREDIST', 'junk'])]],
  ]);
}

function search(g: Generator, withs: number): Arg[] {
  const [east, height] = [size(g), g.random.between(1, 800)];
  return g
    .options([
      [0.6, () => (g.random.chance(0.5) ? ['FROMMEMBER', member(g)] : ['FROMLONLAT', ...point(g)])],
      [0.5, () => ['FROMLONLAT', ...point(g)]],
      [0.6, () => ['BYRADIUS', ...size(g)]],
      [0.4, () => ['BYBOX', east[0], height, east[1]]],
    ])
    .concat(shared(g, withs));
}

const store = (g: Generator): Arg[] =>
  g.options([[0.2, () => [g.random.pick(['STORE', 'STOREDIST']), target(g)]]]);

export const geoCommands: CommandTable = {
  GEOADD: {
    weight: 8,
    args: (g) => [
      key(g),
      ...g.options([
        [0.1, () => ['NX']],
        [0.1, () => ['XX']],
        [0.2, () => ['CH']],
      ]),
      ...Array.from({ length: g.random.between(1, 6) }, () => {
        const number = serial(g);
        const at = g.random.chance(0.99) ? degrees(number) : point(g);
        return [...at, `place:${number}`];
      }).flat(),
    ],
  },
  GEODIST: (g) => [key(g), member(g), member(g), ...g.options([[0.6, () => [unit(g)]]])],
  GEOHASH: (g) => [key(g), member(g), member(g)],
  GEOPOS: (g) => [key(g), member(g), member(g)],
  GEOSEARCH: { weight: 6, args: (g) => [key(g), ...search(g, 0.3)] },
  GEOSEARCHSTORE: {
    weight: 2,
    args: (g) => [
      target(g),
      key(g),
      ...search(g, 0.03),
      ...g.options([[0.3, () => ['STOREDIST']]]),
    ],
  },
  GEORADIUS: {
    weight: 2,
    args: (g) => [key(g), ...point(g), ...size(g), ...shared(g, 0.2), ...store(g)],
  },
  GEORADIUS_RO: (g) => [key(g), ...point(g), ...size(g), ...shared(g, 0.3)],
  GEORADIUSBYMEMBER: {
    weight: 2,
    args: (g) => [key(g), member(g), ...size(g), ...shared(g, 0.2), ...store(g)],
  },
  GEORADIUSBYMEMBER_RO: (g) => [key(g), member(g), ...size(g), ...shared(g, 0.3)],
  ZREM: { weight: 2, args: (g) => [key(g), member(g)] },
  ZCARD: (g) => [g.key()],
  ZSCORE: (g) => [g.random.pick(['g1', 'g2']), member(g)],
  'OBJECT ENCODING': (g) => [g.key()],
};

/** Places everywhere, and plain scores among them. */
export function seedPlaces(): Command[] {
  const places = Array.from({ length: 100 }, (_, i) => [...degrees(i), `place:${i}`]).flat();
  return [
    ['SET', 'str', 'text'],
    ['GEOADD', 'g1', ...places],
    [
      'GEOADD',
      'g1',
      '180',
      '85.05112878',
      'edge:1',
      '-180',
      '85.05112878',
      'edge:2',
      '180',
      '48',
      'edge:3',
    ],
    ['ZADD', 'g2', 1, 'place:1', 4503599627370495, 'place:2'],
  ];
}

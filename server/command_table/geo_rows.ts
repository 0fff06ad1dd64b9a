// Rows of the commands on places, which are sorted sets of geohashes.
import { geoadd, geodist, geohash, geopos } from '../commands/geo/geo.js';
import { geosearch, geosearchstore } from '../commands/geo/geo_search.js';
import { CENTRE_AND_SHAPE, COUNT_ANY, ORDER, WITH_PLACE } from './argument_docs.js';
import type { CommandRow } from './command.js';
import { keyRange } from './key_specs.js';

export const geoRows: readonly CommandRow[] = [
  {
    name: 'geoadd',
    arity: -5,
    flags: ['write', 'denyoom'],
    categories: ['geo'],
    keySpecs: keyRange(['RW', 'update'], 1),
    keys: [1, 1, 1],
    summary: 'Adds places by longitude and latitude to a sorted set.',
    since: '3.2.0',
    group: 'geo',
    complexity:
      'O(log(N)) for each item added, where N is the number of elements in the sorted set.',
    history: [['6.2.0', 'Added the `CH`, `NX` and `XX` options.']],
    arguments: [
      { name: 'key', type: 'key', keySpec: 0 },
      {
        name: 'condition',
        type: 'oneof',
        since: '6.2.0',
        flags: ['optional'],
        arguments: [
          { name: 'nx', type: 'pure-token', token: 'NX' },
          { name: 'xx', type: 'pure-token', token: 'XX' },
        ],
      },
      { name: 'change', type: 'pure-token', token: 'CH', since: '6.2.0', flags: ['optional'] },
      {
        name: 'longitude_latitude_member',
        type: 'block',
        flags: ['multiple'],
        arguments: [
          { name: 'longitude', type: 'double' },
          { name: 'latitude', type: 'double' },
          { name: 'member', type: 'string' },
        ],
      },
    ],
    handler: geoadd,
  },
  {
    name: 'geodist',
    arity: -4,
    flags: ['readonly'],
    categories: ['geo'],
    keySpecs: keyRange(['RO', 'access'], 1),
    keys: [1, 1, 1],
    summary: 'Returns the distance between two places.',
    since: '3.2.0',
    group: 'geo',
    complexity: 'O(log(N))',
    arguments: [
      { name: 'key', type: 'key', keySpec: 0 },
      { name: 'member1', type: 'string' },
      { name: 'member2', type: 'string' },
      {
        name: 'unit',
        type: 'oneof',
        flags: ['optional'],
        arguments: [
          { name: 'm', type: 'pure-token', token: 'M' },
          { name: 'km', type: 'pure-token', token: 'KM' },
          { name: 'ft', type: 'pure-token', token: 'FT' },
          { name: 'mi', type: 'pure-token', token: 'MI' },
        ],
      },
    ],
    handler: geodist,
  },
  {
    name: 'geohash',
    arity: -2,
    flags: ['readonly'],
    categories: ['geo'],
    keySpecs: keyRange(['RO', 'access'], 1),
    keys: [1, 1, 1],
    summary: 'Returns the geohash texts of places.',
    since: '3.2.0',
    group: 'geo',
    complexity:
      'O(log(N)) for each member requested, where N is the number of elements in the sorted set.',
    arguments: [
      { name: 'key', type: 'key', keySpec: 0 },
      { name: 'member', type: 'string', flags: ['multiple'] },
    ],
    handler: geohash,
  },
  {
    name: 'geopos',
    arity: -2,
    flags: ['readonly'],
    categories: ['geo'],
    keySpecs: keyRange(['RO', 'access'], 1),
    keys: [1, 1, 1],
    summary: 'Returns longitude and latitude of places.',
    since: '3.2.0',
    group: 'geo',
    complexity: 'O(N) where N is the number of members requested.',
    arguments: [
      { name: 'key', type: 'key', keySpec: 0 },
      { name: 'member', type: 'string', flags: ['multiple'] },
    ],
    handler: geopos,
  },
  {
    name: 'geosearch',
    arity: -7,
    flags: ['readonly'],
    categories: ['geo'],
    keySpecs: keyRange(['RO', 'access'], 1),
    keys: [1, 1, 1],
    summary: 'Returns the places in a circle or a rectangle.',
    since: '6.2.0',
    group: 'geo',
    complexity:
      'O(N+log(M)) where N is the number of elements in the grid-aligned bounding box area around the shape provided as the filter and M is the number of items inside the shape',
    history: [['7.0.0', 'Added support for uppercase unit names.']],
    arguments: [
      { name: 'key', type: 'key', keySpec: 0 },
      ...CENTRE_AND_SHAPE,
      ORDER,
      COUNT_ANY,
      ...WITH_PLACE,
    ],
    handler: geosearch,
  },
  {
    name: 'geosearchstore',
    arity: -8,
    flags: ['write', 'denyoom'],
    categories: ['geo'],
    keySpecs: [...keyRange(['OW', 'update'], 1), ...keyRange(['RO', 'access'], 2)],
    keys: [1, 2, 1],
    summary: 'Stores the places in a circle or a rectangle under a key.',
    since: '6.2.0',
    group: 'geo',
    complexity:
      'O(N+log(M)) where N is the number of elements in the grid-aligned bounding box area around the shape provided as the filter and M is the number of items inside the shape',
    history: [['7.0.0', 'Added support for uppercase unit names.']],
    arguments: [
      { name: 'destination', type: 'key', keySpec: 0 },
      { name: 'source', type: 'key', keySpec: 1 },
      ...CENTRE_AND_SHAPE,
      ORDER,
      COUNT_ANY,
      { name: 'storedist', type: 'pure-token', token: 'STOREDIST', flags: ['optional'] },
    ],
    handler: geosearchstore,
  },
];

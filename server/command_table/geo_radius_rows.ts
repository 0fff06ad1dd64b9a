// Rows of the older forms of searching for places.
import {
  georadius,
  georadiusByMember,
  georadiusByMemberRo,
  georadiusRo,
} from '../commands/geo/geo_search.js';
import { COUNT_ANY, COUNT_ANY_SINCE, ORDER, UNIT, WITH_PLACE } from './argument_docs.js';
import type { CommandRow } from './command.js';
import { keyRange } from './key_specs.js';

export const geoRadiusRows: readonly CommandRow[] = [
  {
    name: 'georadius',
    arity: -6,
    flags: ['write', 'denyoom', 'movablekeys'],
    categories: ['geo'],
    keySpecs: [
      { flags: ['RO', 'access'], begin: { index: 1 }, find: { lastKey: 0, keyStep: 1, limit: 0 } },
      {
        flags: ['OW', 'update'],
        begin: { keyword: 'STORE', startFrom: 6 },
        find: { lastKey: 0, keyStep: 1, limit: 0 },
      },
      {
        flags: ['OW', 'update'],
        begin: { keyword: 'STOREDIST', startFrom: 6 },
        find: { lastKey: 0, keyStep: 1, limit: 0 },
      },
    ],
    keys: [1, 1, 1],
    summary: 'Returns the places within a distance of a point, or stores them.',
    since: '3.2.0',
    group: 'geo',
    complexity:
      'O(N+log(M)) where N is the number of elements inside the bounding box of the circular area delimited by center and radius and M is the number of items inside the index.',
    deprecated: {
      since: '6.2.0',
      replacedBy: '`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` argument',
    },
    history: [
      ['6.2.0', 'Added the `ANY` option for `COUNT`.'],
      ['7.0.0', 'Added support for uppercase unit names.'],
    ],
    arguments: [
      { name: 'key', type: 'key', keySpec: 0 },
      { name: 'longitude', type: 'double' },
      { name: 'latitude', type: 'double' },
      { name: 'radius', type: 'double' },
      UNIT,
      ...WITH_PLACE,
      COUNT_ANY_SINCE,
      ORDER,
      { name: 'key', type: 'key', token: 'STORE', keySpec: 1, flags: ['optional'] },
      { name: 'key', type: 'key', token: 'STOREDIST', keySpec: 2, flags: ['optional'] },
    ],
    handler: georadius,
  },
  {
    name: 'georadius_ro',
    arity: -6,
    flags: ['readonly'],
    categories: ['geo'],
    keySpecs: keyRange(['RO', 'access'], 1),
    keys: [1, 1, 1],
    summary: 'Returns the places within a distance of a point.',
    since: '3.2.10',
    group: 'geo',
    complexity:
      'O(N+log(M)) where N is the number of elements inside the bounding box of the circular area delimited by center and radius and M is the number of items inside the index.',
    deprecated: { since: '6.2.0', replacedBy: '`GEOSEARCH` with the `BYRADIUS` argument' },
    history: [['6.2.0', 'Added the `ANY` option for `COUNT`.']],
    arguments: [
      { name: 'key', type: 'key', keySpec: 0 },
      { name: 'longitude', type: 'double' },
      { name: 'latitude', type: 'double' },
      { name: 'radius', type: 'double' },
      UNIT,
      ...WITH_PLACE,
      COUNT_ANY_SINCE,
      ORDER,
    ],
    handler: georadiusRo,
  },
  {
    name: 'georadiusbymember',
    arity: -5,
    flags: ['write', 'denyoom', 'movablekeys'],
    categories: ['geo'],
    keySpecs: [
      { flags: ['RO', 'access'], begin: { index: 1 }, find: { lastKey: 0, keyStep: 1, limit: 0 } },
      {
        flags: ['OW', 'update'],
        begin: { keyword: 'STORE', startFrom: 5 },
        find: { lastKey: 0, keyStep: 1, limit: 0 },
      },
      {
        flags: ['OW', 'update'],
        begin: { keyword: 'STOREDIST', startFrom: 5 },
        find: { lastKey: 0, keyStep: 1, limit: 0 },
      },
    ],
    keys: [1, 1, 1],
    summary: 'Returns the places within a distance of a place, or stores them.',
    since: '3.2.0',
    group: 'geo',
    complexity:
      'O(N+log(M)) where N is the number of elements inside the bounding box of the circular area delimited by center and radius and M is the number of items inside the index.',
    deprecated: {
      since: '6.2.0',
      replacedBy: '`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` and `FROMMEMBER` arguments',
    },
    history: [['7.0.0', 'Added support for uppercase unit names.']],
    arguments: [
      { name: 'key', type: 'key', keySpec: 0 },
      { name: 'member', type: 'string' },
      { name: 'radius', type: 'double' },
      UNIT,
      ...WITH_PLACE,
      COUNT_ANY,
      ORDER,
      { name: 'key', type: 'key', token: 'STORE', keySpec: 1, flags: ['optional'] },
      { name: 'key', type: 'key', token: 'STOREDIST', keySpec: 2, flags: ['optional'] },
    ],
    handler: georadiusByMember,
  },
  {
    name: 'georadiusbymember_ro',
    arity: -5,
    flags: ['readonly'],
    categories: ['geo'],
    keySpecs: keyRange(['RO', 'access'], 1),
    keys: [1, 1, 1],
    summary: 'Returns the places within a distance of a place.',
    since: '3.2.10',
    group: 'geo',
    complexity:
      'O(N+log(M)) where N is the number of elements inside the bounding box of the circular area delimited by center and radius and M is the number of items inside the index.',
    deprecated: {
      since: '6.2.0',
      replacedBy: '`GEOSEARCH` with the `BYRADIUS` and `FROMMEMBER` arguments',
    },
    arguments: [
      { name: 'key', type: 'key', keySpec: 0 },
      { name: 'member', type: 'string' },
      { name: 'radius', type: 'double' },
      UNIT,
      ...WITH_PLACE,
      COUNT_ANY,
      ORDER,
    ],
    handler: georadiusByMemberRo,
  },
];

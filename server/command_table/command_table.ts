// All commands: the rows of every family. Whoever needs the table complete imports from here.

import { bitmapRows } from './bitmap_rows.js';
import { clientRows } from './client_rows.js';
import type { CommandRow } from './command.js';
import { registerCommands } from './command_registry.js';
import { commandRows } from './command_rows.js';
import { connectionRows } from './connection_rows.js';
import { databaseRows } from './database_rows.js';
import { dumpRows } from './dump_rows.js';
import { expiryRows } from './expiry_rows.js';
import { geoRadiusRows } from './geo_radius_rows.js';
import { geoRows } from './geo_rows.js';
import { hashExpiryRows } from './hash_expiry_rows.js';
import { hashRows } from './hash_rows.js';
import { hyperLogLogRows } from './hyperloglog_rows.js';
import { keyRows } from './key_rows.js';
import { latencyRows } from './latency_rows.js';
import { listMoveRows } from './list_move_rows.js';
import { listRows } from './list_rows.js';
import { objectRows } from './object_rows.js';
import { serverRows } from './server_rows.js';
import { setRows } from './set_rows.js';
import { sortRows } from './sort_rows.js';
import { sortedSetAlgebraRows } from './sorted_set_algebra_rows.js';
import { sortedSetBlockingRows } from './sorted_set_blocking_rows.js';
import { sortedSetRangeRows } from './sorted_set_range_rows.js';
import { sortedSetRows } from './sorted_set_rows.js';
import { streamGroupRows } from './stream_group_rows.js';
import { streamRows } from './stream_rows.js';
import { stringPartRows } from './string_part_rows.js';
import { stringRows } from './string_rows.js';
import { transactionRows } from './transaction_rows.js';

const ROWS: readonly CommandRow[] = [
  ...connectionRows,
  ...clientRows,
  ...commandRows,
  ...serverRows,
  ...stringRows,
  ...stringPartRows,
  ...bitmapRows,
  ...hyperLogLogRows,
  ...listRows,
  ...listMoveRows,
  ...setRows,
  ...sortRows,
  ...hashRows,
  ...hashExpiryRows,
  ...keyRows,
  ...dumpRows,
  ...expiryRows,
  ...sortedSetRows,
  ...sortedSetRangeRows,
  ...sortedSetAlgebraRows,
  ...geoRows,
  ...geoRadiusRows,
  ...sortedSetBlockingRows,
  ...streamRows,
  ...streamGroupRows,
  ...databaseRows,
  ...objectRows,
  ...latencyRows,
  ...transactionRows,
];

registerCommands(ROWS);

export { commands, findCommand, lookupCommand } from './command_registry.js';

// What every room of the server may read: the configuration and the log. Set once by main before
// anything else of the server is imported; plain fields, so that hot code reads them directly.

import type { ServerConfig } from './config/config_table.js';
import { defaultConfig } from './config/load_config.js';
import { Log } from './log.js';

export interface Runtime {
  config: ServerConfig;
  /** Absolute path of the configuration file, or null: CONFIG REWRITE needs it. */
  configFile: string | null;
  log: Log;
  /** 40 hexadecimal digits, new with every start. */
  runId: string;
  startMillis: number;
}

export const runtime: Runtime = {
  config: defaultConfig(),
  configFile: null,
  log: new Log('', 'warning'),
  runId: '',
  startMillis: Date.now(),
};

// The first half of a server's start: reads the command line and the configuration, opens the log and
// says what the arena will be. Imported for its effects, by serve.ts, before anything that opens the
// arena: storage modules hold its views in constants.
//
// A command line that only asks for a text, or cannot be used, ends the process here.
import { arenaOptions } from '../storage/memory/arena_options.js';
import { readCommand } from './cli.js';
import { ConfigError } from './config/config_error.js';
import type { ServerConfig } from './config/config_table.js';
import { clientsMax } from './config/machine.js';
import { openLog } from './log.js';
import { runtime } from './runtime.js';
import { STILLFRAME_VERSION } from './version.js';

/** The data could not be recovered: distinct from 1, wrong usage. */
const EXIT_NOT_STARTED = 2;

const command = readCommand(process.argv.slice(2));
if (command.kind === 'print') {
  process.stdout.write(command.text);
  process.exit(0);
}
if (command.kind === 'refuse') refuse(command.line);
configure(command.config, command.configFile);
runtime.log.notice(
  `Stillframe ${STILLFRAME_VERSION} starts, pid ${process.pid}, Node ${process.version}`,
);
process.once('uncaughtException', cannotStart);

function configure(config: ServerConfig, configFile: string | null): void {
  // The object stays the same: rooms of the server hold it in constants.
  Object.assign(runtime.config, config);
  runtime.configFile = configFile;
  try {
    runtime.log = openLog(config);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    refuse(`stillframe: ${error.message}\n`);
  }
  const most = clientsMax(config.maxclients);
  if (most < config.maxclients) {
    runtime.log.warning(
      `maxclients lowered from ${config.maxclients} to ${most}: the limit on open files is lower`,
    );
    runtime.config.maxclients = most;
  }
  arenaOptions.bytes = config.arenaSize;
  arenaOptions.mechanism = config.checkpointMechanism;
}

function refuse(line: string): never {
  process.stderr.write(line);
  process.exit(1);
}

/** Whatever is thrown between here and the end of the start ends it, also while modules load. */
function cannotStart(error: unknown): never {
  const reason = error instanceof Error ? error.message : String(error);
  runtime.log.warning(`Cannot start: ${reason}`);
  process.stderr.write(`stillframe: ${reason.replace(/\s+/g, ' ')}\n`);
  process.exit(EXIT_NOT_STARTED);
}

/** The start has succeeded: what is thrown from now on is a fault of the program. */
export function started(): void {
  process.off('uncaughtException', cannotStart);
}

#!/usr/bin/env node
// The `stillframe` program: reads the configuration, then loads and starts the engine.
import { randomBytes } from 'node:crypto';
import { arenaOptions } from '../storage/memory/arena_options.js';
import { readCommand } from './cli.js';
import { ConfigError } from './config/config_error.js';
import type { ServerConfig } from './config/config_table.js';
import { clientsMax } from './config/machine.js';
import { openLog } from './log.js';
import { runtime } from './runtime.js';
import { runTool } from './tools/tools.js';
import { STILLFRAME_VERSION } from './version.js';

/** The data could not be recovered: distinct from 1, wrong usage. */
const EXIT_NOT_STARTED = 2;

async function main(): Promise<void> {
  const command = readCommand(process.argv.slice(2));
  if (command.kind === 'print') {
    process.stdout.write(command.text);
    return;
  }
  if (command.kind === 'refuse') {
    process.stderr.write(command.line);
    process.exitCode = 1;
    return;
  }
  if (command.kind === 'tool') {
    process.exitCode = await runTool(command.name, command.args);
    return;
  }
  configure(command.config, command.configFile);
  await serve();
}

function configure(config: ServerConfig, configFile: string | null): void {
  // The object stays the same: rooms of the server hold it in constants.
  Object.assign(runtime.config, config);
  runtime.configFile = configFile;
  runtime.runId = randomBytes(20).toString('hex');
  try {
    runtime.log = openLog(config);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`stillframe: ${error.message}\n`);
    process.exit(1);
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

async function serve(): Promise<void> {
  const { log } = runtime;
  log.notice(
    `Stillframe ${STILLFRAME_VERSION} starts, pid ${process.pid}, Node ${process.version}`,
  );
  try {
    const engine = await import('./engine.js');
    engine.startEngine();
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => {
        log.warning(`Received ${signal} scheduling shutdown...`);
        if (engine.shutDown(runtime.config.save.length > 0, false)) process.exit(0);
      });
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    log.warning(`Cannot start: ${reason}`);
    process.stderr.write(`stillframe: ${reason.replace(/\s+/g, ' ')}\n`);
    process.exit(EXIT_NOT_STARTED);
  }
}

await main();

// Handlers of CONFIG and its subcommands over server/config, and what follows from each change.
//
// Names and values arrive as bytes. Names are compared as they are; values are texts in UTF-8.
import { Buffer } from 'node:buffer';
import { args } from '../../../protocol/arguments.js';
import { reply } from '../../../protocol/reply_writer.js';
import { setBulkBytesMax } from '../../../protocol/resp_parser.js';
import { usedBytes } from '../../../storage/memory/allocator.js';
import { setNodeLimit } from '../../../storage/values/list.js';
import { allClients } from '../../clients.js';
import { getOptions } from '../../config/config_get.js';
import { rewriteConfigFile } from '../../config/config_rewrite.js';
import { type ConfigHooks, setOptions } from '../../config/config_set.js';
import { tooManyClients } from '../../config/machine.js';
import { startCron } from '../../cron.js';
import { resetFacts } from '../../info_facts.js';
import { lifecycle } from '../../lifecycle.js';
import { replyError } from '../../reply_error.js';
import { runtime } from '../../runtime.js';
import { type HelpEntry, replyHelp } from '../arguments/help.js';

const hooks: ConfigHooks = {
  'bulk length': ({ protoMaxBulkLen }) => {
    setBulkBytesMax(protoMaxBulkLen);
    return null;
  },
  hz: () => {
    startCron();
    return null;
  },
  'list nodes': ({ listMaxListpackSize }) => {
    setNodeLimit(listMaxListpackSize);
    return null;
  },
  listeners: () => lifecycle.reopenListeners(),
  log: ({ loglevel }) => {
    runtime.log.setLevel(loglevel);
    return null;
  },
  maxclients: ({ maxclients }) => tooManyClients(maxclients),
  maxmemory: ({ maxmemory }) => {
    if (maxmemory > 0 && maxmemory < usedBytes()) {
      runtime.log.warning(
        `maxmemory is now ${maxmemory} bytes, less than the ${usedBytes()} bytes in use: commands ` +
          'that add data will be refused',
      );
    }
    return null; // commands look at it themselves
  },
  password: ({ requirepass }) => {
    // Clients that are in stay in; the limits on what others may send depend on there being one.
    for (const client of allClients()) {
      client.parseState.authenticated = client.authenticated || requirepass === '';
    }
    return null;
  },
};

/** CONFIG GET parameter [parameter ...] */
export function configGet(): void {
  const patterns: string[] = [];
  for (let i = 2; i < args.count; i++) patterns.push(args.latin1(i));
  const found = getOptions(runtime.config, patterns);
  reply.map(found.length / 2);
  for (let i = 0; i < found.length; i += 2) {
    reply.bulkLatin1(found[i]!);
    reply.bulkText(found[i + 1]!);
  }
}

/** CONFIG SET parameter value [parameter value ...] */
export function configSet(): void {
  const pairs: string[] = [];
  for (let i = 2; i < args.count; i++) pairs.push(i % 2 === 0 ? args.latin1(i) : args.utf8(i));
  replyOutcome(setOptions(runtime.config, pairs, hooks));
}

/** CONFIG RESETSTAT */
export function configResetStat(): void {
  resetFacts();
  reply.ok();
}

/** CONFIG REWRITE */
export function configRewrite(): void {
  const error = rewriteConfigFile(runtime.configFile, runtime.config);
  if (error === null) runtime.log.warning('CONFIG REWRITE executed with success.');
  else runtime.log.warning(`CONFIG REWRITE failed: ${error}`);
  // The text may name a path; errors are written one byte per character.
  replyOutcome(error === null ? null : Buffer.from(error, 'utf8').toString('latin1'));
}

function replyOutcome(error: string | null): void {
  if (error === null) reply.ok();
  else replyError(error);
}

const HELP: readonly HelpEntry[] = [
  ['GET <pattern> [<pattern> ...]', 'Return the options that match, with their values.'],
  ['SET <option> <value> [<option> <value> ...]', 'Change options, all or none.'],
  ['RESETSTAT', 'Set the counters of INFO to zero.'],
  ['REWRITE', 'Write the present options into the configuration file.'],
];

/** CONFIG HELP */
export function configHelp(): void {
  replyHelp('CONFIG', HELP);
}

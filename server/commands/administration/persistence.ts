// Handlers of SAVE, BGSAVE, LASTSAVE and SHUTDOWN: checkpoints on command, and the end.
import { args } from '../../../protocol/arguments.js';
import * as errors from '../../../protocol/error_replies.js';
import { reply } from '../../../protocol/reply_writer.js';
import {
  checkpointStatus,
  isCheckpointRunning,
  saveNow,
  startBackgroundSave,
} from '../../checkpoints.js';
import type { Client } from '../../client.js';
import { lifecycle } from '../../lifecycle.js';
import { sendReplies } from '../../output.js';
import { replyError } from '../../reply_error.js';
import { runtime } from '../../runtime.js';

/** SAVE */
export function save(): void {
  if (isCheckpointRunning()) replyError(errors.SAVE_IN_PROGRESS);
  else if (saveNow()) reply.ok();
  else replyError(errors.UNSPECIFIED);
}

/** BGSAVE [SCHEDULE] */
export function bgsave(client: Client): void {
  if (args.count > 1 && !(args.count === 2 && args.equals(1, 'schedule'))) {
    replyError(errors.SYNTAX_ERROR);
  } else if (isCheckpointRunning()) {
    replyError(errors.SAVE_IN_PROGRESS);
  } else if (client.inExec) {
    // The checkpoint must not hold half a transaction.
    checkpointStatus.scheduled = true;
    reply.simple('Background saving scheduled');
  } else {
    startBackgroundSave();
    if (isCheckpointRunning()) reply.simple('Background saving started');
    else replyError(errors.UNSPECIFIED);
  }
}

/** LASTSAVE */
export function lastsave(): void {
  reply.integer(Math.floor(checkpointStatus.lastSaveMillis / 1000));
}

/** SHUTDOWN [NOSAVE | SAVE] [NOW] [FORCE] [ABORT] */
export function shutdown(): void {
  const given = { nosave: false, save: false, now: false, force: false, abort: false };
  const words = Object.keys(given) as (keyof typeof given)[];
  for (let i = 1; i < args.count; i++) {
    const word = words.find((each) => args.equals(i, each));
    if (word === undefined) {
      replyError(errors.SYNTAX_ERROR);
      return;
    }
    given[word] = true;
  }
  const others = given.nosave || given.save || given.now || given.force;
  if ((given.abort && others) || (given.nosave && given.save)) {
    replyError(errors.SYNTAX_ERROR);
  } else if (given.abort) {
    // A shutdown here waits for nothing, so there is never one to abort.
    replyError(errors.NO_SHUTDOWN);
  } else {
    runtime.log.warning('User requested shutdown...');
    sendReplies();
    lifecycle.exit(given.save || (!given.nosave && runtime.config.save.length > 0), given.force);
    replyError(errors.SHUTDOWN_FAILED);
  }
}

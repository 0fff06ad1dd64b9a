// Error replies of handlers: written, counted, and remembered for the caller of the handler.
import { reply } from '../protocol/reply_writer.js';
import { countError } from './stats.js';

/** The error that the running command replied, or null. Cleared before each command. */
export const failure: { text: string | null } = { text: null };

/** Replies an error (text without '-'). The one way in which handlers do it. */
export function replyError(text: string): void {
  failure.text = text;
  countError(text);
  reply.error(text);
}

// Who a client is: the default user with its one password, `requirepass`. Used by AUTH and HELLO.
import { createHash, timingSafeEqual } from 'node:crypto';
import { args } from '../../protocol/arguments.js';
import type { Client } from '../client.js';
import { runtime } from '../runtime.js';

export const DEFAULT_USER = 'default';

/** Whether the password in argument i is the configured one; any is when none is configured. */
function isPassword(i: number): boolean {
  const { requirepass } = runtime.config;
  if (requirepass === '') return true;
  // Digests have one length, and comparing them tells nothing of how much of the password was right.
  const given = createHash('sha256').update(args.copyBytes(i)).digest();
  return timingSafeEqual(given, createHash('sha256').update(requirepass, 'utf8').digest());
}

/**
 * Lets a client in when the user in argument `user` (-1: the default one) has the password in argument
 * `password`. False: it stays what it was.
 */
export function authenticate(client: Client, user: number, password: number): boolean {
  if (user >= 0 && args.latin1(user) !== DEFAULT_USER) return false;
  if (!isPassword(password)) return false;
  client.setAuthenticated(true);
  return true;
}

// Who a client is: the default user with its one password, `requirepass`. Used by AUTH and HELLO.
import { Buffer } from 'node:buffer';
import { args } from '../../../protocol/arguments.js';
import type { Client } from '../../client.js';
import { runtime } from '../../runtime.js';

export const DEFAULT_USER = 'default';

/** Whether the password in argument i is the configured one; any is when none is configured. */
function isPassword(i: number): boolean {
  const { requirepass } = runtime.config;
  if (requirepass === '') return true;
  return isSecret(args.copyBytes(i), Buffer.from(requirepass, 'utf8'));
}

/** Whether the bytes are those of a secret that is not empty. How long it takes depends on what was
 *  given alone: it tells nothing of how much of it was right, or how long the secret is. */
function isSecret(given: Uint8Array, secret: Uint8Array): boolean {
  let difference = given.length ^ secret.length;
  for (let i = 0; i < given.length; i++) difference |= given[i]! ^ secret[i % secret.length]!;
  return difference === 0;
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

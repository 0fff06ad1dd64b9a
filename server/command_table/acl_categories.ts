// ACL categories of commands: those that a row names, and those that follow from its flags.
import type { Command } from './command.js';

/** All categories, in the order in which Redis prints them. */
export const ACL_CATEGORIES: readonly string[] = [
  'keyspace',
  'read',
  'write',
  'set',
  'sortedset',
  'list',
  'hash',
  'string',
  'bitmap',
  'hyperloglog',
  'geo',
  'stream',
  'pubsub',
  'admin',
  'fast',
  'slow',
  'blocking',
  'dangerous',
  'connection',
  'transaction',
  'scripting',
];

/** The categories of a command without '@'. The rules are Redis's (ACL categories of its docs). */
export function categoriesOf(command: Command): string[] {
  const found = new Set(command.row.categories);
  if (command.has('write')) found.add('write');
  if (command.has('readonly') && !found.has('scripting')) found.add('read');
  if (command.has('admin')) {
    found.add('admin');
    found.add('dangerous');
  }
  if (command.has('pubsub')) found.add('pubsub');
  if (command.has('blocking')) found.add('blocking');
  found.add(command.has('fast') ? 'fast' : 'slow');
  return ACL_CATEGORIES.filter((category) => found.has(category));
}

// The version of this package, and of the Redis whose commands and replies it has.
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The text of this package's package.json: the nearest one above this file or its bundle. */
function packageText(): string {
  for (let folder = new URL('.', import.meta.url); ; folder = new URL('..', folder)) {
    const path = fileURLToPath(new URL('package.json', folder));
    if (existsSync(path)) return readFileSync(path, 'utf8');
    if (folder.pathname === '/') throw new Error('package.json is missing above the program');
  }
}

/** Stillframe's own version. */
export const STILLFRAME_VERSION = (JSON.parse(packageText()) as { version: string }).version;

/** What clients that ask for redis_version are told: they choose commands by it. */
export const REDIS_VERSION = '7.0.15';

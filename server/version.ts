// The version of this package, and of the Redis whose commands and replies it has.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

// dist/server/version.js and server/version.ts lie at different depths below the package root.
const here = fileURLToPath(import.meta.url);
const root = here.slice(0, here.lastIndexOf('/server/')).replace(/\/dist$/, '');
const packageText = readFileSync(`${root}/package.json`, 'utf8');

/** Stillframe's own version. */
export const STILLFRAME_VERSION = (JSON.parse(packageText) as { version: string }).version;

/** What clients that ask for redis_version are told: they choose commands by it. */
export const REDIS_VERSION = '7.0.15';

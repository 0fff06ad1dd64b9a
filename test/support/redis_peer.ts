// The peer that Stillframe is compared with: Debian's redis-server and redis-tools.
//
// A machine without them still passes the tests: those that need the peer are skipped and say why.
// In CI (the variable CI is set) a skip would hide a hole, so there it is a failure.
import { execFileSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { describe, test } from 'vitest';

export const REDIS_SERVER = process.env.REDIS_SERVER ?? '/usr/bin/redis-server';
export const REDIS_CLI = '/usr/bin/redis-cli';
export const REDIS_BENCHMARK = '/usr/bin/redis-benchmark';

/** The version whose replies are the reference: major and minor number of redis-server. */
export const PEER_VERSION = '7.0';

function executable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Null when redis-server and its tools are here, else one sentence that says what is missing. */
export function peerMissing(): string | null {
  for (const path of [REDIS_SERVER, REDIS_CLI, REDIS_BENCHMARK]) {
    if (!executable(path)) return `${path} is missing: apt-get install redis-server redis-tools`;
  }
  const version = execFileSync(REDIS_SERVER, ['--version'], { encoding: 'utf8' });
  if (!version.includes(` v=${PEER_VERSION}.`)) {
    return `the reference is redis-server ${PEER_VERSION}, but ${REDIS_SERVER} is ${version.trim()}`;
  }
  return null;
}

/** `describe` for tests that need the peer. Without it: skipped with the reason, in CI a failure. */
export function describeWithPeer(name: string, body: () => void): void {
  const missing = peerMissing();
  if (missing === null) {
    describe(name, body);
  } else if (process.env.CI) {
    describe(name, () => {
      test('the peer is installed', () => {
        throw new Error(missing);
      });
    });
  } else {
    describe.runIf(false)(`${name} (skipped: ${missing})`, body);
  }
}

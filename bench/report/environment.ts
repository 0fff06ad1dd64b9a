// What a result holds for: machine, kernel, huge pages, versions, seed, commit.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import type { Contestant } from '../server/server_process.js';
import { packageRoot } from '../server/server_process.js';
import type { Environment } from './result.js';

export function environment(peer: Contestant, ours: Contestant, seed: number): Environment {
  const processors = cpus();
  return {
    time: new Date().toISOString(),
    commit: commit(),
    seed,
    processor: processors[0]?.model.trim() ?? 'unknown',
    processors: processors.length,
    memoryBytes: totalmem(),
    kernel: release(),
    hugePages: `enabled=${hugePages('enabled')}, defrag=${hugePages('defrag')}`,
    node: process.version,
    versions: {
      peer: { name: peer.name, version: version(peer) },
      ours: { name: ours.name, version: version(ours) },
    },
  };
}

function version(contestant: Contestant): string {
  const args = [...contestant.args, '--version'];
  return execFileSync(contestant.program, args, { encoding: 'utf8' }).trim();
}

/** The value in brackets of a setting of transparent huge pages. */
function hugePages(name: string): string {
  try {
    const text = readFileSync(`/sys/kernel/mm/transparent_hugepage/${name}`, 'latin1');
    return /\[(.*)\]/.exec(text)?.[1] ?? text.trim();
  } catch {
    return 'not there';
  }
}

/** Hash of the commit, `+` when sources differ from it; `unknown` outside of a checkout. */
function commit(): string {
  const git = (...args: string[]): string =>
    execFileSync('git', ['-C', packageRoot(), ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  try {
    const written = [':!bench/results', ':!bench/plots', ':!*.md']; // by the bench itself
    const changed = git('status', '--porcelain', '--untracked-files=no', '--', '.', ...written);
    return git('rev-parse', '--short=12', 'HEAD') + (changed === '' ? '' : '+');
  } catch {
    return 'unknown';
  }
}

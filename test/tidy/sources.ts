// The sources as the tidiness tests see them: paths from the package root, with their text.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { PACKAGE_ROOT } from '../support/spawn_server.js';

export interface Source {
  /** Path from the package root. */
  readonly path: string;
  readonly text: string;
}

const SKIPPED = new Set(['node_modules', 'dist', 'build', 'data', 'results', '.git']);

/** Files below a folder whose names match, in order of their paths. */
export function sources(folder: string, pattern: RegExp): Source[] {
  const found: Source[] = [];
  const walk = (path: string): void => {
    for (const entry of readdirSync(join(PACKAGE_ROOT, path), { withFileTypes: true })) {
      if (SKIPPED.has(entry.name)) continue;
      const inner = join(path, entry.name);
      if (entry.isDirectory()) walk(inner);
      else if (pattern.test(entry.name)) {
        found.push({ path: inner, text: readFileSync(join(PACKAGE_ROOT, inner), 'utf8') });
      }
    }
  };
  walk(folder);
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** What a TypeScript file imports: relative ones as paths from the root (`.ts`), others as named. */
export function importsOf(source: Source): string[] {
  const specifiers = /(?<!['"])(?:\bfrom|\bimport|\bimport\s*\()\s*['"]([^'"]+)['"]/g;
  return [...source.text.matchAll(specifiers)].map(([, specifier]) =>
    (specifier as string).startsWith('.')
      ? normalize(join(dirname(source.path), specifier as string)).replace(/\.js$/, '.ts')
      : (specifier as string),
  );
}

/** What a C++ file includes in quotes, as paths from the root; `folders` are where it looks. */
export function includesOf(source: Source): string[] {
  return [...source.text.matchAll(/^\s*#include\s+"([^"]+)"/gm)].map(([, name]) =>
    normalize(join(dirname(source.path), name as string)),
  );
}

// What the house style asks of each file: not too long, not too wide, opens with its purpose, leaves
// nothing half done.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PACKAGE_ROOT } from '../support/spawn_server.js';
import { sources } from './sources.js';

const LINES_MAX = 600;
const WIDTH_MAX = 100;
const FOLDERS = ['server', 'storage', 'native', 'protocol', 'bench', 'test'];

const files = FOLDERS.flatMap((folder) => sources(folder, /\.(ts|cpp|cc|h|py)$/));

test(`no file is longer than ${LINES_MAX} lines`, () => {
  const long = files
    .map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }))
    .filter(({ lines }) => lines > LINES_MAX)
    .map(({ path, lines }) => `${path}: ${lines} lines`);
  expect(long).toEqual([]);
});

test(`C++ lines are at most ${WIDTH_MAX} wide, as the formatter makes those of TypeScript`, () => {
  const wide = files
    .filter(({ path }) => !path.endsWith('.ts'))
    .flatMap(({ path, text }) =>
      text.split('\n').flatMap((line, i) => (line.length > WIDTH_MAX ? [`${path}:${i + 1}`] : [])),
    );
  expect(wide).toEqual([]);
});

test('each file opens with its purpose', () => {
  const silent = files.filter(
    ({ text }) => !/^(#!.*\n)?(#pragma once\n+)?\s*(\/\/|\/\*|#|""")/.test(text),
  );
  expect(silent.map(({ path }) => path)).toEqual([]);
});

test('nothing is left to do', () => {
  const words = new RegExp(
    `\\b(${['TO', 'FIX', 'XX'].map((half, i) => half + ['DO', 'ME', 'X'][i]).join('|')})\\b`,
  );
  const open = files.flatMap(({ path, text }) =>
    text
      .split('\n')
      .flatMap((line, i) => (words.test(line) ? [`${path}:${i + 1}: ${line.trim()}`] : [])),
  );
  expect(open).toEqual([]);
});

test('no test is switched off or alone', () => {
  const marked = /\b(test|it|describe)\.(only|skip|todo|fails)\b/;
  const found = files
    .filter(({ path }) => path.endsWith('.test.ts'))
    .filter(({ text }) =>
      text.split('\n').some((line) => marked.test(line) && !line.includes('/\\b(')),
    )
    .map(({ path }) => path);
  expect(found).toEqual([]);
});

test('each folder says what it is for', () => {
  const missing = FOLDERS.filter((folder) => !existsSync(join(PACKAGE_ROOT, folder, 'README.md')));
  expect(missing).toEqual([]);
});

// Files of the build with the code that V8 made of them at build time, beside them:
//
//   serve.cjs                      CommonJS
//   serve.cjs.v20.20.2-x64.code    compiled by that version of Node
//
// To parse the server takes 10 ms of a start. V8 refuses code of another version, other flags or a
// source of another length; code that is older than its source is passed over here. What has no code
// is compiled as always. Nothing is written when a server starts.
import { readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { Script } from 'node:vm';

const PARAMETERS = 'exports, require, module, __filename, __dirname';

/** Where the code of a file lies, for the Node that runs. */
export function codePath(path: string): string {
  return `${path}.${process.version}-${process.arch}.code`;
}

/** Compiles a CommonJS file; without `code` from its text alone. */
export function compileFile(path: string, code?: Buffer): Script {
  const text = readFileSync(path, 'utf8');
  return new Script(`(function (${PARAMETERS}) {${text}\n})`, {
    filename: path,
    ...(code === undefined ? {} : { cachedData: code }),
  });
}

/** Runs a CommonJS file that requires Node's own modules alone. For the build: uses its `require`. */
export function runFile(path: string): void {
  const module = { exports: {} };
  const run = compileFile(path, readCode(path)).runInThisContext();
  run(module.exports, require, module, path, dirname(path));
}

function readCode(path: string): Buffer | undefined {
  try {
    const code = codePath(path);
    return statSync(code).mtimeMs >= statSync(path).mtimeMs ? readFileSync(code) : undefined;
  } catch {
    return undefined; // built for another Node
  }
}

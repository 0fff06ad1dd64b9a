#!/usr/bin/env node
// The `stillframe` program: the server, or one of the tools. Neither knows the other, and what was not
// asked for is not loaded. Runs as a part of the build only (rolldown.config.ts).
import { join } from 'node:path';
import { runFile } from './compiled_code.js';
import { isTool, runTool } from './tools/tools.js';

const [first, ...rest] = process.argv.slice(2);
if (isTool(first)) {
  runTool(first, rest).then((code) => {
    process.exitCode = code;
  });
} else {
  runFile(join(__dirname, 'serve.cjs'));
}

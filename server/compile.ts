// The last step of the build: makes V8's code of the files named by the arguments (compiled_code.ts).
import { renameSync, writeFileSync } from 'node:fs';
import { codePath, compileFile } from './compiled_code.js';

for (const path of process.argv.slice(2)) {
  const code = codePath(path);
  writeFileSync(`${code}.tmp`, compileFile(path).createCachedData());
  renameSync(`${code}.tmp`, code);
}

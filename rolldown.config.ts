// What `stillframe` runs: a few files in place of 150 modules, because to find, read and compile each
// module takes a start longer than all that it does itself.
//
//   dist/bin/stillframe.cjs   the program: runs what was asked for
//   dist/bin/serve.cjs        the server in one scope, so that its modules see each other's constants
//   dist/bin/*_command.cjs    the tools, with files that they share
//   dist/bin/compile.cjs      makes V8's code of serve.cjs, at the end of the build
//
// CommonJS, because Node's loader of ES modules takes 5 to 10 ms by itself. The modules in dist/ are
// for tests and benches of a part.
import { defineConfig, type OutputOptions } from 'rolldown';

const output: OutputOptions = {
  dir: 'dist/bin',
  format: 'cjs',
  strict: true,
  entryFileNames: '[name].cjs',
  chunkFileNames: '[name].cjs',
  charset: 'ascii', // V8 keeps other texts in twice the memory
  comments: false,
  sourcemap: true,
};

export default defineConfig(
  [
    { stillframe: 'server/main.ts' },
    { serve: 'server/serve.ts' },
    { compile: 'server/compile.ts' },
  ].map((input) => ({ input, platform: 'node', output })),
);

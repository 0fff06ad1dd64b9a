// Programs in C++ that a workload needs: built on first use, and again when a source is newer.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { packageRoot } from './server/server_process.js';

/** Path of a program made of native/NAME.cpp, or of all sources in the folder native/NAME. */
export function nativeProgram(name: string): string {
  const native = join(packageRoot(), 'bench/native');
  const folder = join(native, name);
  const files = existsSync(folder)
    ? readdirSync(folder).map((file) => join(folder, file))
    : [join(native, `${name}.cpp`)];
  const target = join(packageRoot(), 'dist/bench', name);
  const newest = Math.max(...files.map((file) => statSync(file).mtimeMs));
  if (!existsSync(target) || statSync(target).mtimeMs < newest) {
    mkdirSync(dirname(target), { recursive: true });
    const sources = files.filter((file) => file.endsWith('.cpp'));
    // Others may be building it too, or running it.
    const made = `${target}.${process.pid}`;
    const args = ['-O2', '-std=c++17', '-pthread', '-o', made, ...sources];
    execFileSync(process.env.CXX ?? 'c++', args, { stdio: 'inherit' });
    renameSync(made, target);
  }
  return target;
}

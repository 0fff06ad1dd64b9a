// Runs a command-line tool to its end, with input, and returns what it printed.
import { spawn } from 'node:child_process';

export interface ToolResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const TIMEOUT_MS = 60_000;

/** Rejects when it does not end within a minute. Text is binary (latin1). */
export function runTool(
  program: string,
  args: readonly string[],
  input: string | Buffer = '',
): Promise<ToolResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    const output: Buffer[] = [];
    const errors: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`${program} ${args.join(' ')} ran longer than ${TIMEOUT_MS} ms`));
    }, TIMEOUT_MS);
    child.once('error', reject);
    child.once('close', (code) => {
      clearTimeout(timer);
      const text = (chunks: Buffer[]): string => Buffer.concat(chunks).toString('latin1');
      resolve({ code, stdout: text(output), stderr: text(errors) });
    });
    child.stdin.on('error', () => {}); // the tool may end before it has read everything
    child.stdin.end(input);
  });
}

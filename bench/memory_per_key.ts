// Resident memory per key, above the bytes that the user stored: 16 bytes of key, 64 of value.
// Given twice: of the whole process, and without what it takes when it is empty.
import { loadKeys } from './loader.js';
import { machine, printTable, writeResult } from './report.js';
import { type Contestant, ServerProcess } from './server_process.js';

const KEY_BYTES = 16;
const VALUE_BYTES = 64;

export interface MemoryOptions {
  readonly contestants: readonly Contestant[];
  readonly keys: number;
}

export async function memoryPerKey(options: MemoryOptions): Promise<void> {
  const own = KEY_BYTES + VALUE_BYTES;
  const results = [];
  for (const contestant of options.contestants) {
    const server = await ServerProcess.start(contestant);
    try {
      const emptyBytes = server.residentBytes();
      const started = performance.now();
      await loadKeys(server.port, options.keys, VALUE_BYTES);
      const seconds = (performance.now() - started) / 1000;
      const fullBytes = server.residentBytes();
      results.push({
        name: contestant.name,
        emptyBytes,
        fullBytes,
        seconds,
        totalPerKey: fullBytes / options.keys - own,
        netPerKey: (fullBytes - emptyBytes) / options.keys - own,
      });
    } finally {
      await server.stop();
    }
  }
  console.log(`\nResident memory with ${options.keys} keys of ${KEY_BYTES} + ${VALUE_BYTES} bytes`);
  printTable(
    ['server', 'empty MB', 'full MB', 'over own bytes, per key', 'without empty server', 'load s'],
    results.map((one) => [
      one.name,
      (one.emptyBytes / 1e6).toFixed(0),
      (one.fullBytes / 1e6).toFixed(0),
      one.totalPerKey.toFixed(1),
      one.netPerKey.toFixed(1),
      one.seconds.toFixed(1),
    ]),
  );
  writeResult('memory', { machine: machine(options.contestants), keys: options.keys, results });
}

// What the kernel says about this process: resident memory and CPU time.
import { readFileSync } from 'node:fs';
import { machineBytes } from '../config/machine.js';
import type { CpuFacts } from './info_source.js';

/** USER_HZ: the unit of times in /proc, 1/100 s on every Linux architecture that Node supports. */
const TICKS_PER_SECOND = 100;

/** Memory of the process and of the machine (or its control group), in bytes. */
export function readMemoryFacts(): { residentBytes: number; machineBytes: number } {
  return { residentBytes: process.memoryUsage.rss(), machineBytes: machineBytes() };
}

/** CPU times: of the process to the microsecond, of the main thread to the tick (10 ms). */
export function readCpuFacts(): CpuFacts {
  const { systemCPUTime, userCPUTime } = process.resourceUsage();
  const mainThread = readMainThreadTicks();
  return {
    systemSeconds: systemCPUTime / 1e6,
    userSeconds: userCPUTime / 1e6,
    mainThreadSystemSeconds: mainThread.system / TICKS_PER_SECOND,
    mainThreadUserSeconds: mainThread.user / TICKS_PER_SECOND,
  };
}

/** Both 0 where /proc is not mounted. */
function readMainThreadTicks(): { user: number; system: number } {
  try {
    const { pid } = process;
    return parseThreadTicks(readFileSync(`/proc/self/task/${pid}/stat`, 'utf8'));
  } catch {
    return { user: 0, system: 0 };
  }
}

/** utime and stime of a /proc/PID/stat line (fields 14 and 15 of proc(5)). The command name, field
 *  2, may hold spaces and brackets, so fields are counted from its closing bracket. */
export function parseThreadTicks(stat: string): { user: number; system: number } {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { user: Number(fields[11]), system: Number(fields[12]) };
}

// What the machine offers, as far as defaults and limits depend on it: memory and open files.
import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { ARENA_BYTES_MIN, EXTENT_BYTES } from '../../storage/memory/layout.js';

/** The largest default: a machine with more memory than that is told its arena size. */
const DEFAULT_ARENA_BYTES_MAX = 60 * 2 ** 30;

/** Memory that this process may use, in bytes: RAM, or the limit of its control group if lower. */
export function machineBytes(): number {
  const limit = process.constrainedMemory();
  const ram = totalmem();
  return limit > 0 && limit < ram ? limit : ram;
}

/**
 * The arena size for a machine of that memory: three quarters of it in whole extents, at most
 * DEFAULT_ARENA_BYTES_MAX. The rest is for the JavaScript heap, connection buffers, the memory of a
 * checkpoint (checkpoint-extra-memory), other processes and the page cache. Address space beyond
 * what is filled costs nothing, but an arena that could fill all RAM ends in the OOM killer
 * instead of in Redis's OOM reply.
 */
export function defaultArenaBytes(memoryBytes: number): number {
  const bytes = Math.floor((memoryBytes * 0.75) / EXTENT_BYTES) * EXTENT_BYTES;
  return Math.min(DEFAULT_ARENA_BYTES_MAX, Math.max(ARENA_BYTES_MIN, bytes));
}

/** Descriptors that the process needs besides one per client: its own files, the event loop, log,
 *  listeners, a running checkpoint, a restore. */
export const FILES_RESERVED = 64;

/** The most files the process may have open (Node has raised the soft limit), or null if unknown. */
export function openFilesMax(): number | null {
  try {
    return parseOpenFilesMax(readFileSync('/proc/self/limits', 'utf8'));
  } catch {
    return null;
  }
}

/** The soft limit in the text of /proc/PID/limits; Infinity when unlimited, null when not there. */
export function parseOpenFilesMax(limits: string): number | null {
  const match = /^Max open files\s+(\d+|unlimited)/m.exec(limits);
  if (match === null) return null;
  return match[1] === 'unlimited' ? Number.POSITIVE_INFINITY : Number(match[1]);
}

/** The most clients of those wanted that the limit on open files leaves room for; at least 1. */
export function clientsMax(wanted: number, filesMax: number | null = openFilesMax()): number {
  if (filesMax === null) return wanted;
  return Math.max(1, Math.min(wanted, filesMax - FILES_RESERVED));
}

/** The reply text when CONFIG SET maxclients asks for more than the limit allows, else null. */
export function tooManyClients(
  wanted: number,
  filesMax: number | null = openFilesMax(),
): string | null {
  const most = clientsMax(wanted, filesMax);
  if (most === wanted) return null;
  return (
    'The operating system is not able to handle the specified number of clients, ' +
    `try with ${most}`
  );
}

// The only file that loads the addon. Everything above sees these types; see native/README.md.
//
// One arena and one reactor per isolate. Errors of system calls arrive as NativeError with the
// name of the call, errno text and what was being done.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Constants that the TypeScript and the C++ side share; compared at load (see storage layout). */
export interface NativeConstants {
  readonly pageBytes: number; // 4096
  readonly extentBytes: number; // 2 MiB
  readonly windowBytes: number; // 1 GiB
  readonly checksumBlockBytes: number; // 64 KiB
  readonly snapshotTableAlignment: number; // 4096
  /** Exit code of a process that touched a block of its checkpoint that cannot be used. */
  readonly damagedExitCode: number; // 3
}

export type MechanismChoice = 'auto' | 'userfaultfd' | 'mprotect';

export interface ArenaHandle {
  /** Size of the mapping in bytes: a multiple of the extent size. */
  readonly bytes: number;
  /** The arena in windows of 1 GiB (the last one may be shorter), in address order. */
  readonly windows: readonly ArrayBuffer[];
  /** One state byte per 4 KiB page: see native/arena/page_states.h. Read-only for JavaScript. */
  readonly pageStates: ArrayBuffer;
  /** How writes are caught, and why that mechanism was chosen (one sentence). */
  readonly mechanism: string;
  readonly mechanismReason: string;
}

/** What the present checkpoint run did so far, or the last one; plain numbers, safe to read at any
 *  time. */
export interface CheckpointCounters {
  /** From checkpointStart until onFinished is due, or until the run fails or is aborted. */
  readonly active: boolean;
  /** Epoch of the page states: a state byte is epoch * 4 + (0 pending, 1 copying, 2 done, 3 saved);
   *  a byte of another epoch counts as pending. */
  readonly epoch: number;
  /** How long the write protection took, the only time the run keeps the server waiting. */
  readonly pauseMicros: number;
  /** From the cut until the file was durable under its final name; so far, while active. */
  readonly durationMicros: number;
  readonly pagesTotal: number;
  /** Pages that went to the file from the arena. copied + saved = total after a good run. */
  readonly pagesCopied: number;
  /** Pages whose pre-image was saved by a writer. */
  readonly pagesSaved: number;
  /** Writes that were caught; a few more than pagesSaved, for threads that came second. */
  readonly faults: number;
  /** Pre-images that went into the spill file because the pool was full. */
  readonly poolOverflows: number;
  /** Memory of the run that is resident now: staging, pre-image pool, block table, page states. Most
   *  of the staging is given back when dense metadata is copied, the rest with the last page. */
  readonly extraBytes: number;
  /** The same at the cut; at most memoryBytesMax, less for a small arena. */
  readonly extraBytesPeak: number;
  /** Writes between checkpointPrepare and the cut that met the protection set ahead; nothing is
   *  copied for them. */
  readonly preArmFaults: number;
  /** Calls that were left to make at the cut itself, in units of the cheapest. */
  readonly rangesAtCut: number;
  /** Bytes written into the file; holes are not counted. */
  readonly fileBytes: number;
}

export interface CheckpointPrepare {
  /** As in the CheckpointStart that will follow; extents may grow until then. */
  readonly extents: Uint8Array;
  readonly memoryBytesMax: number;
  /** Called on the JS thread when the memory of the run is there, or could not be had. */
  readonly onPrepared: (error: Error | null) => void;
}

export interface CheckpointProtect {
  /** As in the CheckpointStart that will follow: the file is created already. */
  readonly temporaryPath: string;
  /** As in CheckpointPrepare. */
  readonly extents: Uint8Array;
  /** Called on the JS thread when the extents are protected, or could not be. */
  readonly onProtected: (error: Error | null) => void;
}

export interface CheckpointStart {
  /** File to write; created exclusively. It is renamed into place by checkpointFinish. */
  readonly temporaryPath: string;
  /** One byte per extent of the arena up to the highest one in use: 0 = not part of the checkpoint,
   *  1 = holds data, 2 = holds dense metadata (copied first, because most writes land there). */
  readonly extents: Uint8Array;
  /** Bound of staging, pre-image pool and block table together. At least 2 MiB + 8 KiB + 128 bytes
   *  per extent. Best is 4/3 of the dense metadata: the rest of it waits for the disk. */
  readonly memoryBytesMax: number;
  /** Called on the JS thread when all pages and the block table are written, or on failure.
   *  `tableChecksum`: CRC32C of the block table, for the manifest; 0 on failure. */
  readonly onCopied: (error: Error | null, tableChecksum: number) => void;
}

export interface CheckpointFinish {
  /** Manifest and footer, appended after the block table as they are: at file offset
   *  extents.length * (extentBytes + 32 * 4). */
  readonly tail: Uint8Array;
  /** Must not exist: a finished checkpoint is never replaced. */
  readonly finalPath: string;
  /** Called on the JS thread when the file is durable under its final name, or on failure. */
  readonly onFinished: (error: Error | null) => void;
}

export interface RestoreRequest {
  readonly path: string;
  /** One byte per extent as in CheckpointStart: not 0 = present in the file at its arena offset. */
  readonly extents: Uint8Array;
  /** File offset of the block table: one little-endian u32 CRC32C per 64 KiB block of the file's
   *  data area (extents.length * 32 entries; 0 for blocks of absent extents). */
  readonly tableOffset: number;
  /** CRC32C of the block table. */
  readonly tableChecksum: number;
}

export interface LazyRestoreRequest extends RestoreRequest {
  /** File descriptor of the log, told of a damaged block beside standard error. Stays open until
   *  onFilled. */
  readonly logDescriptor: number;
  /** What to do about a damaged block: the end of that message. */
  readonly advice: string;
  /** Called on the JS thread once: null when everything is in memory, a RestoreError as of
   *  restoreExtents when the rest cannot be read. Not called when another restore takes over. */
  readonly onFilled: (error: Error | null) => void;
}

/** How far the present lazy restore is, or the last one; zeros before the first. */
export interface RestoreProgress {
  /** From startFilling until onFilled is due. */
  readonly active: boolean;
  readonly bytesTotal: number;
  readonly bytesDone: number;
  /** Blocks of 64 KiB that were read because they were touched. */
  readonly blocksTouched: number;
  /** From startFilling until everything was in memory; so far, while active. */
  readonly durationMicros: number;
}

/** The nth call from now on (1 is the next, 0 only records), of those with this name if there is
 *  one, fails with this errno, writes half of its bytes, or is the last that the process makes. */
export interface InjectedFault {
  readonly call?: string;
  readonly nth: number;
  readonly outcome: number | 'short' | 'crash';
}

export interface NativeBinding {
  readonly constants: NativeConstants;
  /** A multiple of the extent size up to 64 GiB. Once per isolate. 'auto', the default, tries the
   *  system call userfaultfd, then /dev/userfaultfd, then mprotect; throws when the mechanism that
   *  was asked for is not available, saying why. */
  openArena(bytes: number, mechanism?: MechanismChoice): ArenaHandle;
  /** Maps the first `bytes` of an open file as an arena that is only read: a store into its windows
   *  ends the process. Once per isolate, and in place of openArena. No page states, no checkpoints.
   *  `bytes` as in openArena, and not more than the file has; the descriptor may be closed
   *  afterwards. The file must keep its length: a page that is gone is a bus error. */
  openFileArena(descriptor: number, bytes: number): ArenaHandle;
  /** Gives the memory of extents back to the kernel (MADV_DONTNEED). Never during a run that
   *  covers them: throws. A lazy restore does not bring them in any more. */
  releaseExtents(firstExtent: number, count: number): void;
  /** Nobody needs the contents of these extents: what a lazy restore has not brought in yet reads
   *  as zeros and is not read from the file. Memory stays as it is. */
  forgetExtents(firstExtent: number, count: number): void;
  /** Asks the populate thread to touch extents ahead of use (MADV_POPULATE_WRITE). Never blocks. A
   *  hint: their contents stay, and pages that a run protects are left alone. */
  populateExtents(firstExtent: number, count: number): void;
  /** CRC32C (Castagnoli) of the bytes, continuing from seed (default 0). */
  crc32c(bytes: Uint8Array, seed?: number): number;

  /** The first step ahead of a run, in the background (up to hundreds of milliseconds): touches its
   *  memory. This and the next two are optional: checkpointStart does what was not done, but on the
   *  JS thread. What was done stays until a run has used it or checkpointAbort(). */
  checkpointPrepare(request: CheckpointPrepare): void;
  /** The second, in the background (up to 50 ms per GiB): protects the extents ahead of the cut. A
   *  write meanwhile drops the protection again and is noted. */
  checkpointProtect(request: CheckpointProtect): void;
  /** The third, after onProtected(null), between two commands: protects again what was written since,
   *  for some tenths of a millisecond. True when nothing is left: a checkpointStart on the spot
   *  pauses least. When false, let commands run and come again, a few times; each time goes farther
   *  than the last. Throws when a call fails; then checkpointAbort(). */
  checkpointApproach(): boolean;
  /** Protects the extents and starts the copier. Returns the pause in microseconds, that of a
   *  checkpointApproach right before it included.
   *  Throws (and leaves nothing protected, no file) when a run is active or a call fails. */
  checkpointStart(request: CheckpointStart): number;
  /** Phase 2, only after onCopied(null): writes the tail, fdatasync, rename, fsync of the dir. */
  checkpointFinish(request: CheckpointFinish): void;
  /** Blocks until the running phase (copy or finish) has ended, then delivers its callback
   *  before it returns. No-op when nothing runs. */
  checkpointWait(): void;
  /** Stops the run, lifts all protection, removes the temporary file; callbacks are not called. A
   *  file that already has its final name keeps it. No-op when nothing runs. */
  checkpointAbort(): void;
  checkpointCounters(): CheckpointCounters;

  /** Reads extents of a checkpoint into the arena with checksum check of each block; the rest of
   *  the arena reads as zeros afterwards. Throws RestoreError text naming file, block, both sums;
   *  then the whole arena reads as zeros, unless file or block table were refused, which changes
   *  nothing. Blocks; not while a run is active. Ends a lazy restore. */
  restoreExtents(request: RestoreRequest): void;
  /** The same without waiting: the arena reads as the file at once, blocks are brought in as they
   *  are touched and, from startFilling() on, by background threads. A touch of a block that does
   *  not match its checksum writes what restoreExtents would throw to standard error and the log, and
   *  ends the process with constants.damagedExitCode. Until all is in memory checkpoints wait in
   *  their preparation; before startFilling() they fail there.
   *  Needs the mechanism 'userfaultfd'; throws otherwise, and as restoreExtents. The file may be
   *  removed meanwhile. */
  restoreLazily(request: LazyRestoreRequest): void;
  /** Once after restoreLazily(). Throws when a thread cannot be had. */
  startFilling(): void;
  restoreProgress(): RestoreProgress;

  /** For tests, process-wide: a system call of checkpoint runs will fail. null ends it. */
  injectFault(fault: InjectedFault | null): void;
  /** Names of the system calls of checkpoint runs since injectFault(), in their order. */
  recordedCalls(): string[];

  /** The calling thread asks to run soon rather than long (time slices of 0.1 ms), and those that Node and V8
   *  have started give way to it (nice +10); see arena/thread.h. */
  serveFirst(): void;

  /** The socket reactor: see ReactorHandle. */
  createReactor(options: ReactorOptions): ReactorHandle;
}

export interface ReactorOptions {
  /** Called on the JS thread when sockets are ready; JS then loops over turn(). */
  readonly onReady: () => void;
  /** Sizes of the shared buffers in bytes. */
  readonly inputBytes: number;
  readonly outputBytes: number;
  /** At most this many bytes are read from one connection per turn. */
  readonly readBytesMax: number;
}

export const EVENT_DATA = 0; // [connection, 0, offset, length]: bytes in `input`
export const EVENT_ACCEPTED = 1; // [connection, 1, listener, 0]
export const EVENT_CLOSED = 2; // [connection, 2, errno or 0 for orderly, 0]; id is free after the turn
export const EVENT_DRAINED = 3; // [connection, 3, 0, 0]: its queue is empty again after being not
export const EVENT_READABLE = 4; // [connection, 4, 0, 0]: bytes that were left in the socket are there
export const EVENT_FIELDS = 4;

export interface ReactorHandle {
  readonly input: Uint8Array;
  readonly output: Uint8Array;
  /** EVENT_FIELDS int32 per event of the last turn. */
  readonly events: Int32Array;
  /** JS fills [connection, offset, length] triples of reply bytes in `output`. */
  readonly sends: Int32Array;

  listenTcp(host: string, port: number, backlog: number): { listener: number; port: number };
  listenUnix(path: string, mode: number | null, backlog: number): { listener: number };
  closeListener(listener: number): void;

  /** Sends the first `sendCount` triples of `sends`, then polls (without waiting) and reads what is
   *  ready. Returns the number of events in `events`; 0 when nothing is ready. */
  turn(sendCount: number): number;
  /** Only the sending half of turn(): for a full output buffer in the middle of a turn. */
  flush(sendCount: number): void;
  /** Sends bytes that do not lie in `output` (copied when the socket does not take them at once). */
  send(connection: number, bytes: Uint8Array, offset: number, length: number): void;
  /** Bytes queued for a connection because its socket did not take them. */
  queuedBytes(connection: number): number;
  /** One read of the total over all connections, for INFO and limits. */
  queuedBytesTotal(): number;
  /** Stops and resumes reading from a connection (back pressure, CLIENT PAUSE). */
  setReading(connection: number, reading: boolean): void;
  /** The next `bytes` bytes are not read into `input`: EVENT_READABLE tells that some are there, and
   *  receive() takes them. When the connection is about to end they may come as EVENT_DATA all the same.
   *  Takes the place of an earlier call; 0 ends it. */
  leaveInSocket(connection: number, bytes: number): void;
  /** Takes bytes that were left in the socket, `length` at most, to target[offset..], which must not lie in
   *  the arena. Returns how many; 0 when none is there now, or the connection has ended (an EVENT_CLOSED
   *  follows). */
  receive(connection: number, target: Uint8Array, offset: number, length: number): number;
  /** Closes after what is queued was sent; reading stops now. An EVENT_CLOSED follows. */
  closeAfterSend(connection: number): void;
  /** Closes now, queued bytes are dropped. An EVENT_CLOSED follows in a later turn. */
  close(connection: number): void;
  setKeepAlive(connection: number, seconds: number): void;
  describe(connection: number): { fd: number; address: string; localAddress: string };
  /** Stops accepting without closing listeners (maxclients is enforced by JS, EMFILE by native). */
  counters(): { accepted: number; bytesIn: number; bytesOut: number; acceptErrors: number };
  /** Closes everything and detaches from the loop; idempotent. */
  shutdown(): void;
}

/** The package's root: the folder above this file (sources, dist or a bundle) that has the addon. */
function addonPath(): string {
  for (let folder = new URL('.', import.meta.url); ; folder = new URL('..', folder)) {
    const path = fileURLToPath(new URL('native/build/Release/stillframe.node', folder));
    if (existsSync(path)) return path;
    if (folder.pathname === '/') throw new Error('the addon is not built: run npm ci');
  }
}

const addon: { exports: unknown } = { exports: {} };
process.dlopen(addon, addonPath());

export const native = addon.exports as NativeBinding;

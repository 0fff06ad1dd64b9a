// Buffers for input that cannot be used yet (Client.pending): large ones are used again, since a new one
// costs as much as receiving what it holds: its pages come one by one from the kernel, and V8 looks for
// garbage whenever some megabytes of buffers have come and gone.
//
// A buffer's bytes are rubbish until they are written.

/** Buffers below this come and go. */
const KEPT_BYTES_MIN = 64 * 1024;
/** What is kept in all. */
const KEPT_BYTES_MAX = 16 * 1024 * 1024;
/** Smallest buffer. */
const BYTES_MIN = 4096;
/** A request known to need no more than this gets a buffer for all of it, once much of it has come. */
const WHOLE_BYTES_MAX = 2 * 1024 * 1024;
const MUCH_BYTES = 32 * 1024;

const kept: Uint8Array[] = [];
let keptBytes = 0;

/**
 * A buffer for `length` bytes and more to come. `needed` is how many bytes the request is known to need.
 * It is twice as large as what is there, up to what is needed: n bytes are copied O(n) times in all, and a
 * client that only announces many bytes gets no memory for them.
 */
export function takeBuffer(length: number, needed: number): Uint8Array {
  const doubled = Math.max(BYTES_MIN, 2 * length);
  if (needed < length) return takeOf(doubled);
  if (needed <= WHOLE_BYTES_MAX && length >= MUCH_BYTES) return takeOf(needed);
  return takeOf(Math.min(doubled, needed));
}

function takeOf(bytes: number): Uint8Array {
  // The one that was given back last is the likeliest to be in the processor's caches.
  for (let i = kept.length - 1; i >= 0; i--) {
    const buffer = kept[i]!;
    if (buffer.length < bytes || buffer.length > 2 * bytes) continue;
    kept[i] = kept[kept.length - 1]!;
    kept.pop();
    keptBytes -= buffer.length;
    return buffer;
  }
  if (bytes < KEPT_BYTES_MIN) return new Uint8Array(bytes);
  return new Uint8Array(Buffer.allocUnsafeSlow(bytes).buffer);
}

/** Gives a buffer back whose bytes nobody reads any more. */
export function giveBuffer(buffer: Uint8Array): void {
  if (buffer.length < KEPT_BYTES_MIN || keptBytes + buffer.length > KEPT_BYTES_MAX) return;
  kept.push(buffer);
  keptBytes += buffer.length;
}

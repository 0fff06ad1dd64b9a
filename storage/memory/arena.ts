// The arena of this isolate and its views. Importing this module maps the memory (arena_options.ts
// says how much). `wordWindows[ref >>> WINDOW_SHIFT]` with index `(ref & WINDOW_MASK) << 2` is the
// first word of the object at ref; bytes likewise with `<< 4`. Indexes stay below 2^30: small
// integers in compiled code.
import { native } from '../../native/index.js';
import { arenaOptions } from './arena_options.js';
import { EXTENT_BYTES, PAGE_BYTES, WINDOW_BYTES } from './layout.js';

const shared = native.constants;
if (
  shared.pageBytes !== PAGE_BYTES ||
  shared.extentBytes !== EXTENT_BYTES ||
  shared.windowBytes !== WINDOW_BYTES
) {
  throw new Error(
    `the addon was built for pages, extents, windows of ${shared.pageBytes}, ` +
      `${shared.extentBytes}, ${shared.windowBytes} bytes; expected ` +
      `${PAGE_BYTES}, ${EXTENT_BYTES}, ${WINDOW_BYTES}: rebuild it`,
  );
}

const { bytes, file, mechanism } = arenaOptions;
export const arena =
  file === null ? native.openArena(bytes, mechanism) : native.openFileArena(file, bytes);

export const wordWindows: readonly Int32Array[] = arena.windows.map((w) => new Int32Array(w));
export const byteWindows: readonly Uint8Array[] = arena.windows.map((w) => new Uint8Array(w));

export const extentCount = arena.bytes / EXTENT_BYTES;

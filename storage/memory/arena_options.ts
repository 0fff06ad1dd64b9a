// How large the arena of this isolate will be. Set once, before anything imports arena.ts: the
// arena opens when that module loads, so that every storage module can hold its views in
// module-scope constants, which V8 compiles into the code.
import { ARENA_BYTES_MIN } from './layout.js';

export const arenaOptions = { bytes: ARENA_BYTES_MIN };

// What the arena of this isolate will be. Set once, before anything imports arena.ts: the arena opens
// when that module loads, so that every storage module can hold its views in module-scope constants,
// which V8 compiles into the code.
import type { MechanismChoice } from '../../native/index.js';
import { ARENA_BYTES_MIN } from './layout.js';

export interface ArenaOptions {
  /** A multiple of the extent size: the size of the arena, or of the data in `file`. */
  bytes: number;
  /** Descriptor of a checkpoint file that is the arena, to be read only: a store into it ends the
   *  process. Null: memory. */
  file: number | null;
  /** How writes are caught while a checkpoint runs. */
  mechanism: MechanismChoice;
}

export const arenaOptions: ArenaOptions = {
  bytes: ARENA_BYTES_MIN,
  file: null,
  mechanism: 'auto',
};

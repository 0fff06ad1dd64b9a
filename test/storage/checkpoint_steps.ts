// A checkpoint as far as placement sees it, for model tests: extents are protected, the cut comes, pages
// settle bit by bit, the run ends. Import it after openTestArena().
import { avoidPendingExtents, noteCut, useAllExtents } from '../../storage/memory/allocator.js';
import { arena } from '../../storage/memory/arena.js';
import { describeExtents } from '../../storage/memory/extents.js';
import type { Random } from '../support/random.js';

/** Checkpoints have epochs of six bits; a page state is epoch * 4 + state. */
const EPOCHS = 64;
const PAGE_DONE = 2;
const pageStates = new Uint8Array(arena.pageStates);

export class CheckpointSteps {
  private epoch = 0;
  private running = false;
  private isCut = false;
  private settled = 0;

  private readonly random: Random;

  constructor(random: Random) {
    this.random = random;
  }

  /** Now and then begins a run, moves one on or ends it. */
  step(): void {
    const random = this.random;
    if (!this.running) {
      if (!random.chance(0.05)) return;
      this.running = true;
      this.isCut = false;
      this.settled = 0;
      this.epoch = (this.epoch % (EPOCHS - 1)) + 1;
      const bytesMax = random.pick([0, 100_000, 1e9]);
      avoidPendingExtents(describeExtents(), () => bytesMax);
    } else if (random.chance(0.02)) {
      this.end();
    } else if (!this.isCut) {
      this.isCut = random.chance(0.2);
      if (this.isCut) noteCut(this.epoch);
    } else {
      const next = Math.min(pageStates.length, this.settled + random.below(800));
      pageStates.fill(this.epoch * 4 + PAGE_DONE, this.settled, next);
      this.settled = next;
    }
  }

  end(): void {
    if (this.running) useAllExtents();
    this.running = false;
  }
}

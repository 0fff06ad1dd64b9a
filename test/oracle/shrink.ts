// From a long stream with a disagreement to a short one: keeps the steps on the same keys, then
// takes pieces away as long as the last command is still answered differently.
import { argBytes } from '../support/raw_client.js';
import type { Duel, Mismatch, Step } from './duel.js';

const REPLAYS_MAX = 150;
const STEPS_MAX = 600;

/** The shortest stream found that ends in the disagreement; the whole one when it does not come
 *  again (then it hangs on the clock or on batches). */
export async function shrink(
  duel: Duel,
  protocols: readonly number[],
  steps: readonly Step[],
): Promise<{ steps: readonly Step[]; mismatch: Mismatch | null }> {
  let replays = 0;
  const fails = async (candidate: readonly Step[]): Promise<Mismatch | null> => {
    replays++;
    const mismatch = await duel.replay(protocols, candidate);
    return mismatch !== null && mismatch.index === candidate.length - 1 ? mismatch : null;
  };

  let current = steps.slice(-STEPS_MAX);
  let found = await fails(current);
  if (found === null) return { steps, mismatch: null };
  const narrowed = sameKeys(current);
  const narrow = narrowed.length < current.length ? await fails(narrowed) : null;
  if (narrow !== null) {
    current = narrowed;
    found = narrow;
  }
  for (let piece = Math.ceil(current.length / 2); piece >= 1 && replays < REPLAYS_MAX; ) {
    let shortened = false;
    for (let at = 0; at + piece < current.length && replays < REPLAYS_MAX; ) {
      const candidate = [...current.slice(0, at), ...current.slice(at + piece)];
      const mismatch = await fails(candidate);
      if (mismatch !== null) {
        current = candidate;
        found = mismatch;
        shortened = true;
      } else at += piece;
    }
    if (piece === 1 && !shortened) break;
    if (!shortened || piece > current.length / 2) piece = Math.max(1, Math.floor(piece / 2));
  }
  return { steps: current, mismatch: found };
}

/** The last step, and the steps before it that name one of its arguments or change the session. */
function sameKeys(steps: readonly Step[]): Step[] {
  const last = steps[steps.length - 1] as Step;
  const texts = (step: Step): string[] =>
    step.command.slice(1).map((arg) => argBytes(arg).toString('latin1'));
  const wanted = new Set(texts(last));
  const session =
    /^(select|multi|exec|discard|watch|unwatch|hello|reset|config|client|debug|swapdb|flush)/i;
  return steps.filter(
    (step, i) =>
      i === steps.length - 1 ||
      session.test(argBytes(step.command[0] ?? '').toString('latin1')) ||
      texts(step).some((text) => wanted.has(text)),
  );
}

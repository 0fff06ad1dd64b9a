// What a long run has to say beside that it passed: figures, printed by `npm run soak` alone.

/** Prints a line where the environment asks for it. */
export function figure(text: string): void {
  if (process.env.STILLFRAME_FIGURES !== undefined) console.log(`  ${text}`);
}

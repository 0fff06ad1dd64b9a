// What commands may ask of the engine, which stands above them and imports them: it fills this in
// when it starts.

export interface Lifecycle {
  /** Ends the process with exit code 0, after a checkpoint if `save`. Returns only when it cannot:
   *  the checkpoint failed and `force` is not set. */
  exit(save: boolean, force: boolean): void;
  /** Applies a change of `port` or `bind`: null, or why it cannot be. */
  reopenListeners(): string | null;
}

export const lifecycle: Lifecycle = {
  exit: () => {},
  reopenListeners: () => null,
};

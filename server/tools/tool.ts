// What a program inside the program is: `stillframe verify`, `stillframe inspect`. Imports nothing.

export interface Tool {
  /** The first line says how it is called. */
  readonly help: string;
  /** Options that it knows; none has a value. */
  readonly options: readonly string[];
  /** Returns the exit code. */
  readonly run: (path: string, options: ReadonlySet<string>) => Promise<number>;
}

// Why a row falls short of what it must be: text that people write, in bench/reasons.md, under a heading
// that is the row's key. It stays when the bench is run again.
import { existsSync, readFileSync } from 'node:fs';
import type { Comparison, Result, Row } from './result.js';

/** WORKLOAD/COMPARISON/ROW. */
export function rowKey(result: Result, comparison: Comparison, row: Row): string {
  return `${result.workload}/${comparison.id}/${row.id}`;
}

/** A heading may end in `*`, and then holds for all rows that begin so. Exact ones go first. */
export class Reasons {
  private readonly texts = new Map<string, string>();

  constructor(markdown: string) {
    for (const section of markdown.split(/^## /m).slice(1)) {
      const lineEnd = `${section}\n`.indexOf('\n');
      this.texts.set(section.slice(0, lineEnd).trim(), section.slice(lineEnd).trim());
    }
  }

  /** Those of a file; none when there is no file. */
  static read(path: string): Reasons {
    return new Reasons(existsSync(path) ? readFileSync(path, 'utf8') : '');
  }

  find(key: string): string | null {
    const exact = this.texts.get(key);
    if (exact !== undefined) return exact;
    for (const [heading, text] of this.texts) {
      if (heading.endsWith('*') && key.startsWith(heading.slice(0, -1))) return text;
    }
    return null;
  }
}

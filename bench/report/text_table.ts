// Tables as text: for the terminal, and in Markdown.

type Cells = readonly string[];

/** Rows under a header, columns as wide as their widest cell; numbers to the right. */
export function textTable(header: Cells, rows: readonly Cells[]): string {
  const all = [header, ...rows];
  const widths = header.map((_, i) => Math.max(...all.map((row) => (row[i] ?? '').length)));
  const pad = (cell: string, i: number): string =>
    i === 0 ? cell.padEnd(widths[i] as number) : cell.padStart(widths[i] as number);
  return all.map((row) => row.map(pad).join('  ').trimEnd()).join('\n');
}

/** The first column to the left, the others to the right. */
export function markdownTable(header: Cells, rows: readonly Cells[]): string {
  const line = (cells: Cells): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  const rule = `|${header.map((_, i) => (i === 0 ? '---' : '---:')).join('|')}|`;
  return [line(header), rule, ...rows.map(line)].join('\n');
}

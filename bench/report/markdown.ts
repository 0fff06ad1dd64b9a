// The report in Markdown: each workload with how it was measured, its tables, its plots, and the rows
// that fall short with their reasons.
import { type Reasons, rowKey } from './reasons.js';
import type { Comparison, Environment, Plot, Result, Row } from './result.js';
import { median, meets, ratio, ratioRange, scaleOf, spread } from './statistics.js';
import { markdownTable } from './text_table.js';

export const COMPARISON_UNITS = 'median of the rounds, in brackets how far they lie apart';

/** Path of a plot from the report. */
export function plotPath(result: Result, plot: Plot): string {
  return `plots/${result.workload}-${plot.id}.svg`;
}

export function renderReport(results: readonly Result[], reasons: Reasons): string {
  return [
    '# Benchmark report\n',
    'Written by `npm run bench`; how each workload measures stands in [README.md](README.md), the ' +
      'figures of every round in [results/](results). Two servers took turns in fresh processes on one ' +
      `machine. A figure is the ${COMPARISON_UNITS} (largest minus smallest, in percent of the ` +
      'median); the ratio is ours to theirs, then the smallest and the largest of one round.\n',
    summary(results),
    ...results.map((result) => renderWorkload(result, reasons)),
  ].join('\n');
}

/** How many rows of each workload meet what is required of them. */
function summary(results: readonly Result[]): string {
  const rows = results.map((result) => {
    const verdicts = (result.comparisons ?? []).flatMap((comparison) =>
      comparison.rows.map((row) => meets(comparison, row)).filter((verdict) => verdict !== null),
    );
    const met = verdicts.filter(Boolean).length;
    return [
      `[${result.workload}](#${result.workload})`,
      verdicts.length === 0 ? '-' : `${met} of ${verdicts.length}`,
      result.whole ? 'whole' : '**quick: not for quoting**',
      `${Math.round(result.seconds)} s`,
      result.environment.time.slice(0, 10),
      result.environment.commit,
    ];
  });
  const header = ['workload', 'required and met', 'run', 'took', 'date', 'commit'];
  return `${markdownTable(header, rows)}\n`;
}

function renderWorkload(result: Result, reasons: Reasons): string {
  return [
    `## ${result.workload}\n`,
    `**${result.title}.** ${result.about}\n`,
    ...(result.plots ?? []).map((plot) => `![${plot.title}](${plotPath(result, plot)})\n`),
    ...(result.comparisons ?? []).map((one) => renderComparison(result, one, reasons)),
    ...(result.tables ?? []).map(
      ({ title, header, rows }) => `### ${title}\n\n${markdownTable(header, rows)}\n`,
    ),
    ...(result.notes ?? []).map((note) => `- ${note}`),
    ...((result.notes ?? []).length > 0 ? [''] : []),
    `<sub>${describeEnvironment(result.environment)}</sub>\n`,
  ].join('\n');
}

function renderComparison(result: Result, comparison: Comparison, reasons: Reasons): string {
  const { header, rows } = comparisonTable(comparison, result.environment);
  const short = comparison.rows.filter((row) => meets(comparison, row) === false);
  return [
    `### ${comparisonTitle(comparison)}\n`,
    `${markdownTable(header, rows)}\n`,
    ...(short.length > 0 ? ['Falls short:\n'] : []),
    ...short.map((row) => {
      const key = rowKey(result, comparison, row);
      const reason = reasons.find(key) ?? `no reason written yet (\`## ${key}\` in reasons.md)`;
      return `- ${rowLabel(row)}: ${reason.replaceAll('\n', ' ')}`;
    }),
    ...(short.length > 0 ? [''] : []),
  ].join('\n');
}

/** With the unit, unless every row has its own. */
export function comparisonTitle({ title, scale, rows }: Comparison): string {
  if (rows.every((row) => row.scale !== undefined)) return title;
  return `${title} (${scale.unit}, ${scale.better} is better)`;
}

export function rowLabel({ label, scale }: Row): string {
  return scale === undefined ? label : `${label} (${scale.unit})`;
}

/** A comparison as cells, for the report and for the terminal. */
export function comparisonTable(
  comparison: Comparison,
  { versions }: Environment,
): { header: string[]; rows: string[][] } {
  const required = comparison.rows.some(
    (row) => row.requiredRatio !== undefined || row.required !== undefined,
  );
  const noted = comparison.rows.some((row) => row.note !== undefined);
  return {
    header: [
      '',
      versions.peer.name,
      versions.ours.name,
      'ratio',
      ...(required ? ['required', 'met'] : []),
      ...(noted ? ['note'] : []),
    ],
    rows: comparison.rows.map((row) => [
      rowLabel(row),
      figures(row.peer, scaleOf(comparison, row).digits),
      figures(row.ours, scaleOf(comparison, row).digits),
      ratioText(row),
      ...(required ? [requirement(row, comparison), verdict(row, comparison)] : []),
      ...(noted ? [row.note ?? ''] : []),
    ]),
  };
}

export function number(value: number, digits: number): string {
  return Number.isNaN(value) ? '-' : grouped(value.toFixed(digits));
}

/** Thousands apart, as `1,234,567.8`. */
function grouped(text: string): string {
  return text.replace(/\B(?=(\d{3})+(?!\d))(?<!\.\d*)/g, ',');
}

function figures(values: Row['peer'], digits: number): string {
  const apart = spread(values);
  const percent = Number.isNaN(apart) ? '' : ` (${(100 * apart).toFixed(0)} %)`;
  return number(median(values), digits) + percent;
}

export function ratioText(row: Row): string {
  const range = ratioRange(row);
  if (range === null || !Number.isFinite(ratio(row))) return '-';
  const [least, most] = range;
  const between = row.ours.length < 2 ? '' : ` (${least.toFixed(2)}-${most.toFixed(2)})`;
  return ratio(row).toFixed(2) + between;
}

function requirement(row: Row, comparison: Comparison): string {
  const { better, unit, digits } = scaleOf(comparison, row);
  const sign = better === 'lower' ? '<=' : '>=';
  return [
    ...(row.requiredRatio === undefined ? [] : [`ratio ${sign} ${row.requiredRatio}`]),
    ...(row.required === undefined ? [] : [`${sign} ${number(row.required, digits)} ${unit}`]),
  ].join(', ');
}

function verdict(row: Row, comparison: Comparison): string {
  const met = meets(comparison, row);
  if (met === null) return '';
  return met ? 'yes' : 'no';
}

/** Processors, memory, kernel, huge pages, Node. */
export function describeMachine(one: Environment): string {
  return [
    `${one.processors} x ${one.processor}`,
    `${(one.memoryBytes / 2 ** 30).toFixed(0)} GiB`,
    `Linux ${one.kernel}`,
    `transparent huge pages ${one.hugePages}`,
    `Node ${one.node}`,
  ].join(', ');
}

/** All that a result holds for. */
function describeEnvironment(one: Environment): string {
  return [
    describeMachine(one),
    `${one.versions.peer.name}: ${one.versions.peer.version}`,
    `${one.versions.ours.name}: ${one.versions.ours.version}`,
    `seed ${one.seed}`,
    `commit ${one.commit}`,
    one.time,
  ].join('; ');
}

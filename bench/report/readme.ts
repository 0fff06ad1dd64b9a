// The figures in the project's README: headline rows and plots of the committed results, between two
// marks. Written with the report, so that they can't part from it.
import { describeMachine, number, plotPath, ratioText } from './markdown.js';
import type { Result } from './result.js';
import { median, scaleOf } from './statistics.js';
import { markdownTable } from './text_table.js';

export const BEGIN = '<!-- figures: written by npm run bench, do not edit -->';
export const END = '<!-- end of figures -->';

/** The README with its figures replaced. Throws when the marks are not there. */
export function withFigures(readme: string, results: readonly Result[]): string {
  const begin = readme.indexOf(BEGIN);
  const end = readme.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`README.md lacks '${BEGIN}' and '${END}'`);
  return `${readme.slice(0, begin + BEGIN.length)}\n${figures(results)}\n${readme.slice(end)}`;
}

function figures(results: readonly Result[]): string {
  const rows = results.flatMap((result) =>
    (result.comparisons ?? []).flatMap((comparison) =>
      comparison.rows
        .filter((row) => row.headline === true)
        .map((row) => {
          const { unit, digits } = scaleOf(comparison, row);
          return [
            `${comparison.title}: ${row.label} (${unit})`,
            number(median(row.peer), digits),
            number(median(row.ours), digits),
            ratioText(row),
            `\`${result.workload}\``,
          ];
        }),
    ),
  );
  const environment = results[0]?.environment;
  if (environment === undefined) return '';
  const { versions } = environment;
  const header = ['', versions.peer.name, versions.ours.name, 'ratio', '`npm run bench --`'];
  const plots = results.flatMap((result) =>
    (result.plots ?? [])
      .filter((plot) => plot.headline === true)
      .map((plot) => `![${plot.title}](bench/${plotPath(result, plot)})`),
  );
  const intro =
    'Medians of rounds in which the servers took turns, in fresh processes; the ratio is ours to theirs, then ' +
    `the smallest and the largest of one round. ${describeMachine(environment)}.`;
  return [intro, markdownTable(header, rows), ...plots].join('\n\n');
}

// Makes the report, the plots and the README's figures from the results of a folder.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { plotPath, renderReport } from './markdown.js';
import { renderPlot } from './plots.js';
import { withFigures } from './readme.js';
import { Reasons } from './reasons.js';
import { type Folders, readResults } from './store.js';

/** `root` has reasons.md. Returns the path of the report. */
export function writeReport(root: string, folders: Folders, names: readonly string[]): string {
  const results = readResults(folders.results, names);
  const plots = join(folders.report, 'plots');
  rmSync(plots, { recursive: true, force: true });
  mkdirSync(plots, { recursive: true });
  for (const result of results) {
    for (const plot of result.plots ?? []) {
      writeFileSync(join(folders.report, plotPath(result, plot)), renderPlot(plot));
    }
  }
  const path = join(folders.report, 'REPORT.md');
  writeFileSync(path, renderReport(results, Reasons.read(join(root, 'reasons.md'))));
  // Only the committed report has figures in the README: bench/ lies beside it.
  const readme = join(root, '..', 'README.md');
  if (folders.report === root && existsSync(readme)) {
    writeFileSync(readme, withFigures(readFileSync(readme, 'utf8'), results));
  }
  return path;
}

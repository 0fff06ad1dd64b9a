// What the report says of figures: medians, spread, ratios, verdicts, reasons that stay, plots.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { renderReport } from '../../bench/report/markdown.js';
import { renderPlot } from '../../bench/report/plots.js';
import { BEGIN, END, withFigures } from '../../bench/report/readme.js';
import { Reasons } from '../../bench/report/reasons.js';
import type { Comparison, LinePlot, Result, Row } from '../../bench/report/result.js';
import {
  median,
  meets,
  percentile,
  ratio,
  ratioRange,
  spread,
} from '../../bench/report/statistics.js';
import { foldersFor, readResults, writeResult } from '../../bench/report/store.js';
import { writeReport } from '../../bench/report/write_report.js';
import { temporaryFolder } from '../support/spawn_server.js';

const ROW: Row = { id: 'get', label: 'GET', peer: [2, 4, 3], ours: [1, 2, 3] };
const LOWER: Comparison = {
  id: 'cpu',
  title: 'CPU per request',
  scale: { unit: 'us', digits: 2, better: 'lower' },
  rows: [],
};
const HIGHER: Comparison = { ...LOWER, scale: { unit: '1/s', digits: 0, better: 'higher' } };
const PLOT: LinePlot = {
  kind: 'lines',
  id: 'time',
  title: 'Over time',
  x: { name: 's' },
  y: { name: 'ms', logarithmic: true },
  series: [
    {
      name: 'ours',
      side: 'ours',
      points: [
        [0, 1],
        [1, null],
        [2, 0],
        [3, 10],
      ],
    },
  ],
  spans: [{ side: 'ours', begin: 1, end: 2 }],
  headline: true,
};

function result(rows: readonly Row[], more: Partial<Result> = {}): Result {
  return {
    workload: 'throughput',
    title: 'A title',
    about: 'How it was done.',
    whole: true,
    seconds: 12.4,
    options: { rounds: [3] },
    environment: {
      time: '2026-01-02T03:04:05.000Z',
      commit: 'abcdef123456',
      seed: 42,
      processor: 'A processor',
      processors: 2,
      memoryBytes: 24 * 2 ** 30,
      kernel: '6.18',
      hugePages: 'enabled=madvise, defrag=madvise',
      node: 'v20.0.0',
      versions: {
        peer: { name: 'redis-server', version: 'v=7.0.15' },
        ours: { name: 'stillframe', version: '0.1.0' },
      },
    },
    comparisons: [{ ...LOWER, rows }],
    ...more,
  };
}

describe('statistics', () => {
  test('the median is the middle, or between the two in the middle', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(median([null, 5, Number.NaN])).toBe(5);
    expect(median([])).toBeNaN();
  });

  test('the spread is largest minus smallest over the median', () => {
    expect(spread([9, 10, 12])).toBeCloseTo(0.3);
    expect(spread([7])).toBeNaN();
  });

  test('percentiles are of the numbers themselves', () => {
    const numbers = Array.from({ length: 1000 }, (_, i) => i + 1);
    expect(percentile(numbers, 0.5)).toBe(500);
    expect(percentile(numbers, 0.999)).toBe(999);
    expect(percentile(numbers, 1)).toBe(1000);
    expect(percentile([7], 0.01)).toBe(7);
    expect(percentile([], 0.5)).toBeNaN();
  });

  test('the ratio is of the medians; its range is of the rounds', () => {
    expect(ratio(ROW)).toBeCloseTo(2 / 3);
    expect(ratioRange(ROW)).toEqual([0.5, 1]);
    expect(ratioRange({ ...ROW, ours: [] })).toBeNull();
  });

  test('a row meets its limits, misses them, or has none', () => {
    expect(meets(LOWER, ROW)).toBeNull();
    expect(meets(LOWER, { ...ROW, requiredRatio: 0.7 })).toBe(true);
    expect(meets(LOWER, { ...ROW, requiredRatio: 0.6 })).toBe(false);
    expect(meets(LOWER, { ...ROW, requiredRatio: 0.7, required: 1.9 })).toBe(false);
    expect(meets(HIGHER, { ...ROW, requiredRatio: 0.7 })).toBe(false);
    expect(meets(LOWER, { ...ROW, peer: [], requiredRatio: 1 })).toBeNull();
    const own = { unit: '%', digits: 0, better: 'higher' } as const;
    expect(meets(LOWER, { ...ROW, scale: own, required: 2 })).toBe(true);
  });
});

describe('reasons', () => {
  const reasons = new Reasons('# Title\n\n## a/b/c\nOne\nreason.\n\n## a/b/*\nFor all.\n');

  test('are found by their row, else by the beginning of its key', () => {
    expect(reasons.find('a/b/c')).toBe('One\nreason.');
    expect(reasons.find('a/b/d')).toBe('For all.');
    expect(reasons.find('a/x/d')).toBeNull();
  });

  test('stand beside rows that fall short, and only there', () => {
    const rows = [
      { ...ROW, requiredRatio: 0.5 },
      { ...ROW, id: 'set', label: 'SET', requiredRatio: 0.5 },
      { ...ROW, id: 'fine', label: 'FINE', requiredRatio: 1 },
    ];
    const texts = '## throughput/cpu/get\nThe parser.\n## throughput/cpu/fine\nNot shown.\n';
    const report = renderReport([result(rows)], new Reasons(texts));
    expect(report).toContain('| GET | 3.00 (67 %) | 2.00 (100 %) | 0.67 (0.50-1.00) |');
    expect(report).toContain('- GET: The parser.');
    expect(report).toContain('- SET: no reason written yet (`## throughput/cpu/set`');
    expect(report).not.toContain('Not shown');
    expect(report).toContain('| [throughput](#throughput) | 1 of 3 | whole | 12 s |');
    expect(report).toContain('Linux 6.18');
  });
});

describe('plots', () => {
  test('are SVG, the same each time, with a gap where there is no figure', () => {
    const svg = renderPlot(PLOT);
    expect(svg).toMatch(/^<svg [\s\S]*<\/svg>\n$/);
    expect(svg).toContain('Over time');
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
    expect(renderPlot(PLOT)).toBe(svg);
  });

  test('bars', () => {
    const svg = renderPlot({
      kind: 'bars',
      id: 'bars',
      title: 'Bars',
      y: { name: 'us' },
      categories: ['GET', 'SET'],
      series: [{ name: 'ours', side: 'ours', values: [1, null] }],
    });
    expect(svg).toContain('GET');
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  });
});

test("the README's figures are between their marks", () => {
  const readme = `before\n${BEGIN}\nold\n${END}\nafter\n`;
  const text = withFigures(readme, [
    result(
      [
        { ...ROW, headline: true },
        { ...ROW, label: 'HIDDEN' },
      ],
      { plots: [PLOT] },
    ),
  ]);
  expect(text).toMatch(/^before\n<!--[^>]*-->\nMedians [\s\S]*\n<!--[^>]*-->\nafter\n$/);
  expect(text).toContain('| CPU per request: GET (us) | 3.00 | 2.00 | 0.67 (0.50-1.00) |');
  expect(text).toContain('](bench/plots/throughput-time.svg)');
  expect(text).not.toMatch(/old|HIDDEN/);
  expect(() => withFigures('no marks', [])).toThrow('README.md lacks');
});

describe('files', () => {
  let root: string;
  beforeEach(() => {
    root = join(temporaryFolder(), 'bench');
    mkdirSync(root);
  });
  afterEach(() => rmSync(join(root, '..'), { recursive: true, force: true }));

  test('quick runs and other peers have folders of their own', () => {
    expect(foldersFor(root, true, 'redis-server')).toEqual({
      results: join(root, 'results'),
      report: root,
    });
    const quick = join(root, 'results/quick');
    expect(foldersFor(root, false, 'redis-server')).toEqual({ results: quick, report: quick });
    expect(foldersFor(root, true, 'valkey-server').results).toBe(
      join(root, 'results/valkey-server'),
    );
  });

  test('a report is made of what is in the folder: one file a workload, the latest', () => {
    const folders = foldersFor(root, true, 'redis-server');
    writeResult(folders.results, result([{ ...ROW, ours: [123.4567891, Number.NaN] }]));
    writeResult(folders.results, result([ROW], { plots: [PLOT] }));
    writeResult(folders.results, result([], { workload: 'memory' }));
    const found = readResults(folders.results, ['memory', 'throughput']);
    expect(found.map(({ workload }) => workload)).toEqual(['memory', 'throughput']);
    writeFileSync(join(root, '../README.md'), `${BEGIN}\n${END}\n`);
    writeFileSync(join(root, 'reasons.md'), '');
    const path = writeReport(root, folders, []);
    expect(path).toBe(join(root, 'REPORT.md'));
    expect(readFileSync(path, 'utf8')).toContain('plots/throughput-time.svg');
    expect(existsSync(join(root, 'plots/throughput-time.svg'))).toBe(true);
    expect(readFileSync(join(root, '../README.md'), 'utf8')).toContain('Medians');
  });

  test('figures keep six digits, and what is no number is null', () => {
    const folder = join(root, 'results');
    writeResult(folder, result([{ ...ROW, ours: [123.4567891, Number.NaN, 12345678] }]));
    expect(readResults(folder, [])[0]?.comparisons?.[0]?.rows[0]?.ours).toEqual([
      123.457,
      null,
      12345678,
    ]);
  });
});

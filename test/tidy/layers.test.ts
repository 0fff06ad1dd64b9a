// Imports point down only: server -> protocol, storage; storage -> native. Protocol and storage do
// not know each other or the server; native/index.ts alone loads the addon. Folders inside storage
// and native are floors too: each stands on those below it.
import { expect, test } from 'vitest';
import { importsOf, includesOf, type Source, sources } from './sources.js';

/** Which top-level folders a folder's files may import, besides its own and node's modules. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  server: ['protocol', 'storage', 'native'],
  storage: ['native'],
  protocol: [],
  native: [],
  bench: ['server', 'protocol', 'storage', 'native'],
};

/** Folders and files from top to bottom. What is not named stands above. */
const FLOORS: Readonly<Record<string, readonly string[]>> = {
  storage: ['checkpoint', 'heap.ts', 'keyspace', 'values', 'structures', 'memory'],
  native: ['reactor', 'snapshot', 'arena'],
};

/** Packages that the product may use at run time. */
const PACKAGES = new Set(['msgpackr']);
/** And those that the bench may use besides: development dependencies. */
const BENCH_PACKAGES = new Set(['echarts']);

const top = (path: string): string => path.split('/')[0] as string;
const typescript = Object.keys(MAY_IMPORT).flatMap((folder) => sources(folder, /\.ts$/));

/** -1 for a file beside the floors. */
function floorOf(path: string): number {
  const [folder, room] = path.split('/');
  return (FLOORS[folder as string] ?? []).indexOf(room as string);
}

function violations(
  files: readonly Source[],
  targets: (source: Source) => string[],
  allowed: (from: string, to: string) => boolean,
): string[] {
  return files.flatMap((source) =>
    targets(source)
      .filter((target) => !allowed(source.path, target))
      .map((target) => `${source.path} uses ${target}`),
  );
}

test('top-level folders import only what lies below them', () => {
  const wrong = violations(typescript, importsOf, (from, to) => {
    if (to.startsWith('node:')) return true;
    if (PACKAGES.has(top(to))) return true;
    if (top(from) === 'bench' && BENCH_PACKAGES.has(to)) return true;
    return top(to) === top(from) || (MAY_IMPORT[top(from)] as readonly string[]).includes(top(to));
  });
  expect(wrong).toEqual([]);
});

test('nobody reaches into native but through its index', () => {
  const outside = typescript.filter(({ path }) => !path.startsWith('native/'));
  const wrong = violations(
    outside,
    importsOf,
    (_, to) => top(to) !== 'native' || to === 'native/index.ts',
  );
  expect(wrong).toEqual([]);
});

test('native/index.ts alone loads the addon', () => {
  const loading = /\.node['"`]|createRequire|process\.dlopen|\brequire\(/;
  const loaders = typescript.filter(({ text }) => loading.test(text)).map(({ path }) => path);
  expect(loaders).toEqual(['native/index.ts']);
});

test('floors of storage stand on those below them', () => {
  const files = typescript.filter(({ path }) => path.startsWith('storage/'));
  const wrong = violations(files, importsOf, (from, to) => {
    return top(to) !== 'storage' || floorOf(to) >= floorOf(from);
  });
  expect(wrong).toEqual([]);
});

test('floors of native stand on those below them, and only the addon files know Node', () => {
  const files = sources('native', /\.(cpp|cc|h)$/).filter(({ path }) => !path.includes('/test'));
  const wrong = violations(files, includesOf, (from, to) => floorOf(to) >= floorOf(from));
  expect(wrong).toEqual([]);
  const knowsNode = files.filter(({ text }) => /#include\s*[<"](napi|node_api|node|v8)/.test(text));
  expect(knowsNode.filter(({ path }) => !/^native\/addon\w*\.(cpp|h)$/.test(path))).toEqual([]);
});

/** Type imports are gone when the program runs. */
function withoutTypes(source: Source): Source {
  return { ...source, text: source.text.replace(/\b(import|export) type [^;]*;/g, '') };
}

test('there is no ring of imports at run time', () => {
  const graph = new Map(typescript.map((source) => [source.path, importsOf(withoutTypes(source))]));
  const done = new Set<string>();
  const rings: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) rings.push([...trail.slice(trail.indexOf(path)), path].join(' -> '));
    if (done.has(path) || trail.includes(path)) return;
    for (const next of graph.get(path) ?? []) visit(next, [...trail, path]);
    done.add(path);
  };
  for (const path of graph.keys()) visit(path, []);
  expect(rings).toEqual([]);
});

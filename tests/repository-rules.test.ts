import { describe, expect, test } from '@jest/globals';
import { circlesOf } from 'baton-dev/rules/circles';
import { environmentReads } from 'baton-dev/rules/environment';
import { emptyNames } from 'baton-dev/rules/folders';
import { circleBreach, innerImports, lostImports, misnamedImports, tricksIn } from 'baton-dev/rules/imports';
import { undeclaredPackages } from 'baton-dev/rules/packages';
import { routesOutside } from 'baton-dev/rules/routes';
import { type Breach, sentenceOf } from 'baton-dev/rules/rule';
import { isDeployed, isTest } from 'baton-dev/rules/paths';
import { Repository } from 'baton-dev/sources/repository';

// The rules of Baton's own development. packages/baton-dev/src/rules has those for its users' code, which
// tests/rules.test.ts holds.

const MAX_LINES = 350;
const LIBRARY = 'packages/baton/src/';
const TOOLS = 'packages/baton-dev/src/';
/** The service that the scaffold copies: a manifest of its own, below the one of the tools. */
const TEMPLATE = `${TOOLS}new-service/template`;
/** Answers requests that match no service's prefix. */
const UNKNOWN_ROUTE = `${TOOLS}embedded/unknown-route.ts`;
/** The bench and the rivals that it measures against: projects with a lock of their own. */
const BENCH = 'bench';
const RIVALS = 'bench/rivals';
/** AWS's client of the Lambda runtime: only images install it, and no code imports it. */
const LAMBDA_RUNTIME = 'packages/baton-dev/lambda-runtime';

const repository = new Repository();
const { sources, files } = repository;
const isUsers = (path: string): boolean => /^(functions|common|worker|examples)\//.test(path);
const isOurs = (path: string): boolean => !isUsers(path);
const isLibrary = (path: string): boolean => path.startsWith(LIBRARY) && !isTest(path);
const library = sources.filter(({ path }) => isLibrary(path));

function lines(breaches: readonly Breach[]): string[] {
  return breaches.map(sentenceOf);
}

/** The folders of the library in their order, as ARCHITECTURE.md lists them. Its main entry may import all of them. */
function libraryFolders(): string[] {
  const [, list = ''] =
    /^packages\/baton\/src .*\n((?: {2}.*\n)+)/m.exec(repository.textOf('ARCHITECTURE.md')) ?? [];
  return [...[...list.matchAll(/^ {2}(\w+) /gm)].map(([, folder = '']) => folder), 'index.ts'];
}

const order = libraryFolders();
const placeOf = (path: string): number => order.indexOf(path.slice(LIBRARY.length).split('/')[0] ?? '');
/** Whether an import of the library is of a later folder, or of something else here. */
const pointsBack = (from: string, to: string): boolean =>
  isLibrary(from) &&
  placeOf(from) >= 0 &&
  !to.endsWith('package.json') &&
  (!to.startsWith(LIBRARY) || placeOf(to) > placeOf(from));

describe('the library', () => {
  test('has the folders that ARCHITECTURE.md lists, in their order', () => {
    const folders = new Set(library.map(({ path }) => path.slice(LIBRARY.length).split('/')[0] ?? ''));
    expect(order.toSorted()).toEqual([...folders].toSorted());
  });

  test('imports only from the folders before, and from nothing else here', () => {
    const wrong = library.flatMap((source) =>
      source.imports.flatMap(({ request, line }): Breach[] => {
        const target = repository.fileOfImport(source, request);
        if (target === undefined || !pointsBack(source.path, target)) return [];
        const before = order.slice(0, placeOf(source.path) + 1).join(', ');
        const at = { file: source.path, line };
        return [{ at, found: `it imports ${target}`, expected: `Import only from ${before}` }];
      }),
    );
    expect(lines(wrong)).toEqual([]);
  });

  test('names none of the demo, and its tests bring their own contracts, queues and tables', () => {
    const DEMO = /@baton\/|['"`](functions|common|worker)\//;
    const naming = sources.filter(({ path, text }) => path.startsWith('packages/baton/') && DEMO.test(text));
    expect(naming.map(({ path }) => path)).toEqual([]);
  });

  test('finds modules by the standard alone', () => {
    expect(lines(library.flatMap((source) => tricksIn(repository, source)))).toEqual([]);
  });

  test('reads the environment where a service or a worker is made, and nowhere else', () => {
    const others = library.map(({ path }) => path).filter((path) => !/\/src\/(service|worker)\//.test(path));
    expect(lines(environmentReads(others, repository))).toEqual([]);
  });
});

describe('imports of the library, the tools, the bench and the tests', () => {
  test('lead to files that are there', () => {
    expect(lines(lostImports(repository, isOurs))).toEqual([]);
  });

  test('make no circles', () => {
    expect(lines(circlesOf(repository, sources, pointsBack).map(circleBreach))).toEqual([]);
  });

  test('go by package name across workspaces, and by relative path inside one', () => {
    expect(lines(misnamedImports(repository, isOurs))).toEqual([]);
  });

  test('are of public entries in the service that the scaffold copies', () => {
    expect(lines(innerImports(repository, (path) => path.startsWith(`${TEMPLATE}/`)))).toEqual([]);
  });

  test('are of the packages that the folder declares, and it declares no others', () => {
    // The bench lists what nobody else here needs; Node finds all else at the root
    const { dependencies, devDependencies } = repository.manifestAt('package.json');
    const names = repository.workspaces.map(({ manifest }) => manifest.name);
    const atRoot = new Set([...Object.keys({ ...dependencies, ...devDependencies }), ...names]);
    const folders = files
      .filter((path) => path.endsWith('/package.json') && !isDeployed(path))
      .map((path) => path.slice(0, -'/package.json'.length));
    const needed = new Map([
      [LAMBDA_RUNTIME, new Set(['aws-lambda-ric'])],
      // In the service that is written, its contracts stand in common
      [TEMPLATE, new Set(['@baton/common'])],
    ]);
    const wrong = folders.flatMap((folder) =>
      undeclaredPackages(repository, folder, {
        around: folder === BENCH ? atRoot : new Set(),
        needed: [...needed].find(([part]) => folder.startsWith(part))?.[1] ?? new Set(),
        isOwn: (path) =>
          [RIVALS, TEMPLATE].every((part) => path.startsWith(`${part}/`) === folder.startsWith(part)),
      }),
    );
    expect(lines(wrong)).toEqual([]);
    expect(folders).toEqual(
      expect.arrayContaining([BENCH, RIVALS, 'packages/baton', 'packages/baton-dev', 'tests']),
    );
  });
});

test("what stands in tests/ is for the repository: tests of a user's folders bring their own, or use baton-dev/testing", () => {
  const wrong = sources
    .filter(({ path }) => isUsers(path))
    .flatMap((source) =>
      source.imports.flatMap(({ request }) =>
        /^@baton\/tests\b/.test(request) || repository.fileOfImport(source, request)?.startsWith('tests/')
          ? [`${source.path}: ${request}`]
          : [],
      ),
    );
  expect(wrong).toEqual([]);
});

test('routes are made in the api.ts that the scaffold copies, and for what no service answers', () => {
  const others = sources.filter(({ path }) => !isDeployed(path) && !isTest(path) && path !== UNKNOWN_ROUTE);
  const wrong = others.flatMap((source) =>
    routesOutside(source, new RegExp(`^${TEMPLATE}/[^/]+/api\\.ts$`).test(source.path)),
  );
  expect(lines(wrong)).toEqual([]);
});

test('tools print through packages/baton-dev/src/terminal, so that a terminal obeys no character from outside', () => {
  // The banner shows names and addresses of this repository, in colours
  const own = [`${TOOLS}terminal/print.ts`, `${TOOLS}embedded/runtime.ts`];
  const printing = sources.filter(
    ({ path, text }) =>
      path.startsWith(TOOLS) &&
      !isTest(path) &&
      !path.startsWith(TEMPLATE) &&
      /process\.std(out|err)\.write|console\.\w+\(|\bprettyFactory\(/.test(text),
  );
  expect(printing.map(({ path }) => path).toSorted()).toEqual(
    [...own, `${TOOLS}embedded/pretty-logs.ts`].toSorted(),
  );
});

describe('code', () => {
  test('documents every export', () => {
    const undocumented = sources
      .filter(({ path }) => !path.endsWith('.test.ts'))
      .flatMap(({ path, exports }) =>
        exports
          .filter(({ isDocumented }) => !isDocumented)
          .map(({ line, text }) => `${path}:${line}: ${text}`),
      );
    expect(undocumented).toEqual([]);
  });

  test('of the library and the tools says in the first line of each file what the file is', () => {
    const tools = sources.filter(
      ({ path }) => path.startsWith(TOOLS) && !isTest(path) && !path.startsWith(TEMPLATE),
    );
    const silent = [...library, ...tools].filter(({ text }) => !/^\/(\/|\*\*) \S/.test(text));
    expect(silent.map(({ path }) => path)).toEqual([]);
    expect(Math.min(library.length, tools.length)).toBeGreaterThan(100);
  });

  test(`stays in files of at most ${MAX_LINES} lines, with names that say something`, () => {
    const long = sources.filter(({ text }) => text.split('\n').length > MAX_LINES);
    expect(long.map(({ path }) => path)).toEqual([]);
    expect(lines(emptyNames(files))).toEqual([]);
  });
});

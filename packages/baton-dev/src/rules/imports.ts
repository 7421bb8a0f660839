// Imports.
import type { Repository } from '../sources/repository.ts';
import type { Import, Source } from '../sources/source.ts';
import { packageOf } from '../sources/workspaces.ts';
import { circlesOf } from './circles.ts';
import { refusedImport } from './layers.ts';
import type { Breach, Rule } from './rule.ts';
import { isDeployed, isTest } from './paths.ts';

const LIBRARY = 'baton-tasks';
const TOOLS = 'baton-dev';
/** The entries of the library that code of a user may import, and those that its tests may import as well. */
const ENTRIES: ReadonlySet<string> = new Set([
  LIBRARY,
  ...['service', 'http', 'worker'].map((entry) => `${LIBRARY}/${entry}`),
]);
const TEST_ENTRIES = /^(?:baton-tasks\/testing|baton-dev\/testing\/[a-z-]+)$/;
/** Other ways to find a module than the standard's. */
const TRICKS = /^(?:createRequire|registerHooks|_resolveFilename|require|findPackageJSON)$/;
const TRICK_MEMBERS = /(?:\bmodule\.paths|\.NODE_PATH|\._resolveFilename|\.registerHooks)$/;
/** Folders whose files a user writes, with their tests. */
const OWN = /^(?:functions|common|worker|examples)\//;

/** Code imports in one direction. */
export const importsPointOneWay: Rule = {
  name: 'imports point one way: functions and worker, then common/tasks, then common/contracts, then the library',
  breaches: ({ repository }) =>
    importsOf(repository, isDeployed).flatMap(({ source, line, request }) => {
      const expected = refusalOf(repository, source, request);
      const found = `it imports ${repository.fileOfImport(source, request) ?? request}`;
      return expected === undefined ? [] : [{ at: { file: source.path, line }, found, expected }];
    }),
};

/**
 * Why code that is deployed may not import something, by path or by the name of a workspace; undefined if it may. Rules of
 * how an import is written say nothing of one that has to go.
 */
export function refusalOf(repository: Repository, source: Source, request: string): string | undefined {
  if (!isDeployed(source.path)) return undefined;
  // Of what is deployed by itself no entry helps
  const other = repository.workspaces.find(
    ({ folder, manifest }) => manifest.name === packageOf(request) && /^(functions|worker)\b/.test(folder),
  );
  const target = repository.fileOfImport(source, request) ?? (other && `${other.folder}/`);
  return target === undefined ? undefined : refusedImport(source.path, target);
}

/** Imports lead somewhere. */
export const importsLeadToFiles: Rule = {
  name: 'imports lead to files that are there',
  breaches: ({ repository }) => lostImports(repository, (path) => OWN.test(path)),
};

/** The imports of some files that lead to no file, and those of a workspace that its package.json does not export. */
export function lostImports(repository: Repository, isWanted: (path: string) => boolean): Breach[] {
  return importsOf(repository, isWanted).flatMap(({ source, line, request }) => {
    if (refusalOf(repository, source, request) !== undefined) return [];
    const target = repository.fileOfImport(source, request);
    const isOfWorkspace = repository.workspaces.some(({ manifest }) => manifest.name === packageOf(request));
    if (target === undefined ? !isOfWorkspace : repository.has(target)) return [];
    const found = `it imports ${request}, and there is no ${target ?? 'such entry'}`;
    const written = [`${request}.ts`, request.replace(/\.js$/, '.ts')].find(
      (other) => request.startsWith('.') && repository.has(repository.fileOfImport(source, other) ?? ''),
    );
    const expected = written
      ? `Write '${written}'`
      : 'Import a file that exists, or an entry of the exports of its package.json';
    return [{ at: { file: source.path, line }, found, expected }];
  });
}

/** Code of a user imports what the library and the tools promise to keep. */
export const publicEntriesAlone: Rule = {
  name: 'code imports public entries of the library, and tests its testing entries as well',
  breaches: ({ repository }) => innerImports(repository, (path) => OWN.test(path)),
};

/** The imports of the inside of library and tools. */
export function innerImports(repository: Repository, isWanted: (path: string) => boolean): Breach[] {
  return importsOf(repository, isWanted)
    .filter(({ request }) => [LIBRARY, TOOLS].includes(packageOf(request)) && !ENTRIES.has(request))
    .filter(({ source, request }) => isDeployed(source.path) || !TEST_ENTRIES.test(request))
    .map(({ source, line, request }) => ({
      at: { file: source.path, line },
      found: `it imports ${request}`,
      expected: `Import ${[...ENTRIES].join(', ')}, or in tests ${LIBRARY}/testing and ${TOOLS}/testing/*`,
    }));
}

/** No file imports itself by way of others. */
export const noCircles: Rule = {
  name: 'imports make no circles',
  breaches: ({ repository }) => {
    const own = repository.sourcesOf((path) => OWN.test(path));
    const circles = circlesOf(repository, own, (from, to) => refusedImport(from, to) !== undefined);
    return circles.map(circleBreach);
  },
};

/** A circle as a breach: where the import is that has to go. */
export function circleBreach({ files, line }: ReturnType<typeof circlesOf>[number]): Breach {
  const [first = '', ...others] = files;
  return {
    at: { file: files.at(-1) ?? '', line },
    found: `its import of ${first} closes a circle: ${[first, ...others, first].join(' -> ')}`,
    expected: 'Take it out, or move what both need to a file of its own',
  };
}

/** Packages are imported by name, files of the same package by path. */
export const importsAcrossByName: Rule = {
  name: 'imports across workspaces go by package name, those inside one by relative path',
  breaches: ({ repository }) => misnamedImports(repository, (path) => OWN.test(path)),
};

/** The imports of some files that go by path where a package's name is expected, or the other way round. */
export function misnamedImports(repository: Repository, isWanted: (path: string) => boolean): Breach[] {
  return importsOf(repository, isWanted).flatMap(({ source, line, request }) => {
    const target = repository.fileOfImport(source, request);
    if (target === undefined || refusalOf(repository, source, request) !== undefined) return [];
    const isInside = folderOf(source.path) === folderOf(target);
    // Tests may stand for a reader outside
    if (isInside === request.startsWith('.') || (isInside && isTest(source.path))) return [];
    const expected = isInside
      ? `Write the relative path of ${target}`
      : `Write the package's name in place of the path, as the package.json of ${folderOf(target)} has it`;
    return [{ at: { file: source.path, line }, found: `it imports ${request}`, expected }];
  });
}

/** Node and TypeScript find modules without help. */
export const importsByTheStandard: Rule = {
  name: 'imports are resolved by the standard alone',
  breaches: ({ repository, deployed }) => [
    ...deployed.flatMap((source) => tricksIn(repository, source)),
    ...pathsOf(repository),
  ],
};

/** Finds the places where a source resolves modules by its own means. */
export function tricksIn(
  repository: Repository,
  { path, text: code, dynamicImports, imports }: Source,
): Breach[] {
  // Most files have none of these words, and need not be read again
  if (!/require|registerHooks|_resolveFilename|NODE_PATH|paths|findPackageJSON|import\s*\(/i.test(code))
    return [];
  const { calls, members } = repository.codeAt(path);
  const dynamic = dynamicImports.map((line) => ({ line, found: 'it imports while it runs' }));
  const named = imports.flatMap(({ names, line }) =>
    names.filter(({ imported }) => TRICKS.test(imported)).map(({ imported }) => ({ line, text: imported })),
  );
  const called = calls
    .filter(({ name, path: text }) => TRICKS.test(name) || text.startsWith('require.'))
    .map(({ path: text, line }) => ({ line, text }));
  const used = members.filter(({ text }) => TRICK_MEMBERS.test(text));
  const tricks = [...named, ...called, ...used].map(({ text, line }) => ({
    line,
    found: `it finds modules by ${text}`,
  }));
  const expected = "Write an import at the top of the file: import { name } from './file.ts'";
  return [...dynamic, ...tricks].map(({ line, found }) => ({ at: { file: path, line }, found, expected }));
}

function pathsOf(repository: Repository): Breach[] {
  const file = 'tsconfig.json';
  const lines = repository.textOf(file).split('\n');
  return lines.flatMap((text, index) =>
    /"(paths|baseUrl)"/.test(text)
      ? [
          {
            at: { file, line: index + 1 },
            found: `it has ${text.trim()}`,
            expected: 'Delete it: Node knows nothing of it. Import a package by its name',
          },
        ]
      : [],
  );
}

interface FoundImport extends Import {
  readonly source: Source;
}

function importsOf(repository: Repository, isWanted: (path: string) => boolean): FoundImport[] {
  return repository
    .sourcesOf(isWanted)
    .flatMap((source) => source.imports.map((each) => ({ ...each, source })));
}

/** The workspace of a file: the bench and the tests are one each. */
function folderOf(path: string): string {
  return /^(functions\/[^/]+|packages\/[^/]+|[^/]+)\//.exec(path)?.[1] ?? '';
}

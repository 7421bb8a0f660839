// The packages that a folder declares.
import type { Repository } from '../sources/repository.ts';
import { packageOf } from '../sources/workspaces.ts';
import { lineIn } from '../stack/yaml-line.ts';
import { refusalOf } from './imports.ts';
import type { Breach, Rule } from './rule.ts';
import { isTest } from './paths.ts';

/** Packages that are types alone: the root brings them for all. */
const TYPES_ALONE: ReadonlySet<string> = new Set(['aws-lambda']);

/** A package.json says what its folder needs. */
export const packagesAreDeclared: Rule = {
  name: 'the package.json of a folder lists the packages that its code imports, and no others',
  breaches: ({ repository, folders }) =>
    repository.workspaces
      .map(({ folder }) => folder)
      .filter((folder) => folders.includes(folder) || folder === 'common')
      .flatMap((folder) => undeclaredPackages(repository, folder)),
};

/** Configures the comparison of a manifest with the code of its folder. */
export interface DeclaredOptions {
  /** Packages that need not be listed. */
  readonly around?: ReadonlySet<string>;
  /** Packages that are listed although no code imports them. */
  readonly needed?: ReadonlySet<string>;
  /** Whether a file of the folder is of the package. Default: all, except tests. */
  readonly isOwn?: (path: string) => boolean;
}

/**
 * What a package.json lacks, and what it lists without need.
 *
 * @param folder - of the package.json, from the root
 */
export function undeclaredPackages(
  repository: Repository,
  folder: string,
  { around = new Set(), needed = new Set(), isOwn = () => true }: DeclaredOptions = {},
): Breach[] {
  const file = `${folder}/package.json`;
  const sources = repository.sourcesOf(
    (path) => path.startsWith(`${folder}/`) && !isTest(path.slice(folder.length)) && isOwn(path),
  );
  const used = sources.flatMap((source) =>
    source.imports
      .filter(({ request }) => !/^(\.|node:)/.test(request))
      .filter(({ request }) => refusalOf(repository, source, request) === undefined)
      .map(({ request, line }) => ({ name: packageOf(request), file: source.path, line })),
  );
  const declared = Object.keys(repository.manifestAt(file).dependencies ?? {});
  const known = new Set([...declared, ...TYPES_ALONE, ...around]);
  const workspaces = new Set(repository.workspaces.map(({ manifest }) => manifest.name));
  const names = new Set(used.map(({ name }) => name));
  return [
    ...used
      .filter(({ name }) => !known.has(name))
      .map(({ name, ...place }) => ({
        at: place,
        found: `it imports ${name}, which ${file} does not list`,
        expected: `Write "${name}": "*" under dependencies there${workspaces.has(name) ? '' : ", and its exact version in the root's package.json"}`,
      })),
    ...declared
      .filter((name) => !names.has(name) && !needed.has(name))
      .map((name) => ({
        at: { file, line: lineIn(repository.textOf(file), ['dependencies', name]) },
        found: `it lists ${name}, which no code of ${folder} imports`,
        expected: 'Delete the line',
      })),
  ];
}

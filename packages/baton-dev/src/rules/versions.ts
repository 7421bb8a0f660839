// Versions of packages, and the lock.
import type { Repository } from '../sources/repository.ts';
import type { Manifest } from '../sources/workspaces.ts';
import { lineIn } from '../stack/yaml-line.ts';
import type { Rule } from './rule.ts';

const ROOT_MANIFEST = 'package.json';
const LOCKED = 'package-lock.json';
const LISTS = ['dependencies', 'devDependencies', 'optionalDependencies', 'overrides'] as const;
/** The names of locks, of whatever package manager. */
export const LOCK = /^(package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml)$/;

/** A package-lock.json, as far as it is read here. */
interface Lock {
  readonly packages?: Readonly<Record<string, { readonly version?: string }>>;
}

/** The root's package.json is the only list of versions. */
export const versionsAreExact: Rule = {
  name: 'versions stand in the package.json of the root alone, all exact',
  breaches: ({ repository }) => {
    const text = repository.textOf(ROOT_MANIFEST);
    const loose = versionsIn(repository.manifestAt(ROOT_MANIFEST))
      .filter(({ version }) => !isExact(version))
      .map(({ list, name, version }) => ({
        at: { file: ROOT_MANIFEST, line: lineIn(text, [list, name]) },
        found: `${name} has the version ${version}`,
        expected: advice(repository, name, version),
      }));
    const twice = repository.workspaces.flatMap(({ folder, manifest }) =>
      versionsIn(manifest)
        .filter(({ version }) => version !== '*')
        .map(({ list, name, version }) => ({
          at: {
            file: `${folder}/package.json`,
            line: lineIn(repository.textOf(`${folder}/package.json`), [list, name]),
          },
          found: `${name} has the version ${version}`,
          expected: `Write "${name}": "*", and the version in the package.json of the root`,
        })),
    );
    return [...loose, ...twice];
  },
};

/** The version to write in place of a range: the one in the lock. */
function advice(repository: Repository, name: string, range: string): string {
  const locked = repository.has(LOCKED) ? (JSON.parse(repository.textOf(LOCKED)) as Lock) : {};
  const version = locked.packages?.[`node_modules/${name}`]?.version;
  if (version === undefined) return `Run npm install, and write the version that ${LOCKED} then has`;
  const [alias = ''] = /^npm:[^@]+@/.exec(range) ?? [];
  return `Write ${alias}${version}, the version in ${LOCKED}`;
}

/** Every package that a workspace uses has a version at the root. */
export const versionsAreListed: Rule = {
  name: 'the package.json of the root lists all that workspaces use',
  breaches: ({ repository }) => {
    const { dependencies, devDependencies } = repository.manifestAt(ROOT_MANIFEST);
    const known = new Set([
      ...Object.keys({ ...dependencies, ...devDependencies }),
      ...repository.workspaces.map(({ manifest }) => manifest.name),
    ]);
    return repository.workspaces.flatMap(({ folder, manifest }) =>
      Object.keys(manifest.dependencies ?? {})
        .filter((name) => !known.has(name))
        .map((name) => ({
          at: {
            file: `${folder}/package.json`,
            line: lineIn(repository.textOf(`${folder}/package.json`), ['dependencies', name]),
          },
          found: `it uses ${name}, which has no version in the package.json of the root`,
          expected: `Run npm install --save-exact ${name} in the root`,
        })),
    );
  },
};

/** One npm ci installs everything. */
export const oneLock: Rule = {
  name: 'workspaces have no lock and no packages of their own',
  breaches: ({ repository }) =>
    repository.workspaces.flatMap(({ folder }) => {
      const locks = repository.files
        .filter((path) => path.startsWith(`${folder}/`) && LOCK.test(path.slice(folder.length + 1)))
        .map((file) => ({
          at: { file },
          found: 'it is a second lock',
          expected: 'Delete it, and run npm install in the root: package-lock.json there is for all',
        }));
      const installed = repository.has(`${folder}/node_modules`)
        ? [
            {
              at: { file: `${folder}/node_modules` },
              found: 'packages are installed a second time',
              expected: 'Delete it, and run npm ci in the root',
            },
          ]
        : [];
      return [...locks, ...installed];
    }),
};

/** Whether a version is one alone, and not a range of several. */
export function isExact(version: string): boolean {
  return /^(npm:[^@]+@)?\d+\.\d+\.\d+$/.test(version);
}

/** The versions that a package.json lists, and in which list. */
export function versionsIn(manifest: Manifest) {
  return LISTS.flatMap((list) =>
    Object.entries(manifest[list] ?? {}).map(([name, version]) => ({ list, name, version })),
  );
}

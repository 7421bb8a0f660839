// The plan of the removal of the demo.
import { basename, join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { Repository } from '../sources/repository.ts';
import type { Manifest } from '../sources/workspaces.ts';
import { belongingsOf, LISTS } from './belongings.ts';
import type { Demo } from './demo.ts';
import { needlessIn, needlessInRoot } from './dependencies.ts';
import { withoutComposeEntries, withoutImports, withoutPorts, withoutScripts } from './lists.ts';
import { withoutMarkedParts } from './marked-parts.ts';

/** The script that removes the demo. It is removed too. */
const SCRIPT = 'demo:remove';
/** Files that may mark parts of the demo. */
const MARKABLE = /(\.(md|ya?ml|ts|js)|\.env\.example|Dockerfile)$/;
const COMPOSE = 'docker-compose.localstack.yml';
const ENVIRONMENT = '.env.example';

/** The changes of the removal of the demo, by paths from the root. */
export interface Removal {
  readonly deleted: readonly string[];
  /** New texts. */
  readonly changed: ReadonlyMap<string, string>;
}

/**
 * Plans the removal of the demo. Changes nothing.
 *
 * @throws RemovalError that says why the demo cannot be removed
 */
export async function planRemoval(demo: Demo, repository: Repository): Promise<Removal> {
  const names = demo.folders.map((folder) => basename(folder));
  const unmarked = new Repository(repository.root, unmarkedTexts(repository));
  const belongings = await belongingsOf(demo, repository, unmarked);
  const texts = new Map<string, string>();
  for (const path of repository.files) {
    if (belongings.has(path)) continue;
    const after = changedText(path, { belongings, names, repository: unmarked });
    if (after !== repository.textOf(path)) texts.set(path, after);
  }
  for (const [path, text] of manifestsWithout(belongings, repository)) texts.set(path, text);
  const emptied = [...texts].filter(([, text]) => text.trim() === '').map(([path]) => path);
  const changing = [...texts].filter(([path]) => !emptied.includes(path));
  const formatting = changing.map(async ([path, text]): Promise<[string, string]> => [
    path,
    await formatted(repository.root, path, text),
  ]);
  return {
    deleted: [...belongings, ...emptied].toSorted(),
    changed: new Map(await Promise.all(formatting)),
  };
}

/** The texts of the files that mark parts of the demo, without these. */
function unmarkedTexts(repository: Repository): ReadonlyMap<string, string> {
  const markable = repository.files.filter((path) => MARKABLE.test(path));
  return new Map(markable.map((path) => [path, withoutMarkedParts(repository.textOf(path), path)]));
}

interface Change {
  readonly belongings: ReadonlySet<string>;
  /** Of the services that go. */
  readonly names: readonly string[];
  /** Without the parts that are marked. */
  readonly repository: Repository;
}

function changedText(path: string, { belongings, names, repository }: Change): string {
  const text = repository.textOf(path);
  if (path === COMPOSE) return withoutComposeEntries(text, names);
  if (path === ENVIRONMENT) return withoutPorts(text, names);
  const source = LISTS.includes(path) ? repository.sources.find((each) => each.path === path) : undefined;
  if (!source) return text;
  return withoutImports(source, (request) => belongings.has(repository.fileOfImport(source, request) ?? ''));
}

/** The package.json files that change, without scripts and dependencies of the demo. */
function manifestsWithout(belongings: ReadonlySet<string>, repository: Repository): [string, string][] {
  const staying = repository.workspaces.filter(({ folder }) => !belongings.has(`${folder}/package.json`));
  const workspaces = staying.map(({ folder, manifest }) => ({
    path: `${folder}/package.json`,
    before: manifest,
    manifest: withoutDependencies(manifest, needlessIn(folder, manifest, belongings, repository)),
  }));
  const before = JSON.parse(repository.textOf('package.json')) as Manifest;
  const manifests = workspaces.map(({ manifest }) => manifest);
  const { [SCRIPT]: _script, ...scripts } = withoutScripts(before.scripts ?? {}, (path) =>
    belongings.has(path),
  );
  const needless = needlessInRoot(before, manifests, belongings, repository);
  const root = {
    path: 'package.json',
    before,
    manifest: { ...withoutDependencies(before, needless), scripts },
  };
  return [...workspaces, root]
    .filter((each) => JSON.stringify(each.manifest) !== JSON.stringify(each.before))
    .map(({ path, manifest }) => [path, `${JSON.stringify(manifest, undefined, 2)}\n`]);
}

function withoutDependencies(manifest: Manifest, needless: readonly string[]): Manifest {
  const left = (list: Manifest['dependencies']) =>
    Object.fromEntries(Object.entries(list ?? {}).filter(([name]) => !needless.includes(name)));
  return {
    ...manifest,
    ...(manifest.dependencies && { dependencies: left(manifest.dependencies) }),
    ...(manifest.devDependencies && { devDependencies: left(manifest.devDependencies) }),
  };
}

async function formatted(root: string, path: string, text: string): Promise<string> {
  if (!/\.(ts|js|json|ya?ml|md)$/.test(path)) return text;
  const filepath = join(root, path);
  return format(text, { ...(await resolveConfig(filepath)), filepath });
}

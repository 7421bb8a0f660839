// The dependencies that only the demo needs.
import type { Repository } from '../sources/repository.ts';
import type { Source } from '../sources/source.ts';
import { type Manifest, packageOf } from '../sources/workspaces.ts';

/**
 * The dependencies that a workspace no longer needs.
 *
 * @param folder - of the workspace, from the root
 * @param belongings - the files that go
 */
export function needlessIn(
  folder: string,
  { dependencies = {} }: Manifest,
  belongings: ReadonlySet<string>,
  { sources }: Repository,
): string[] {
  const own = sources.filter(({ path }) => path.startsWith(`${folder}/`));
  const gone = packagesOf(own.filter(({ path }) => belongings.has(path)));
  const left = packagesOf(own.filter(({ path }) => !belongings.has(path)));
  return Object.keys(dependencies).filter((name) => gone.has(name) && !left.has(name));
}

/**
 * The dependencies that the root lists for the demo alone, with their types.
 *
 * @param manifests - of the workspaces that stay, as they are then
 */
export function needlessInRoot(
  { dependencies = {}, devDependencies = {} }: Manifest,
  manifests: readonly Manifest[],
  belongings: ReadonlySet<string>,
  { sources }: Repository,
): string[] {
  const gone = packagesOf(sources.filter(({ path }) => belongings.has(path)));
  const left = packagesOf(sources.filter(({ path }) => !belongings.has(path)));
  const listed = new Set(
    manifests.flatMap((each) => Object.keys({ ...each.dependencies, ...each.devDependencies })),
  );
  const names = Object.keys({ ...dependencies, ...devDependencies });
  const needless = new Set(names.filter((name) => gone.has(name) && !left.has(name) && !listed.has(name)));
  return names.filter((name) => needless.has(name) || needless.has(name.replace(/^@types\//, '')));
}

function packagesOf(sources: readonly Source[]): Set<string> {
  return new Set(sources.flatMap(({ imports }) => imports.map(({ request }) => packageOf(request))));
}

// The packages of a repository.
import { dirname, join } from 'node:path';

/** A package.json, as far as the tools read it. */
export interface Manifest {
  readonly name: string;
  readonly workspaces?: readonly string[];
  readonly scripts?: Readonly<Record<string, string>>;
  readonly exports?: Readonly<Record<string, unknown>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly overrides?: Readonly<Record<string, string>>;
}

/** A package of the repository. */
export interface Workspace {
  /** From the root, without a slash at its end. */
  readonly folder: string;
  readonly manifest: Manifest;
}

/**
 * The workspaces that the package.json at the root lists.
 *
 * @param files - all files of the repository, from its root
 */
export function workspacesOf(
  files: readonly string[],
  manifestAt: (path: string) => Manifest,
): readonly Workspace[] {
  const { workspaces = [] } = manifestAt('package.json');
  const patterns = workspaces.map(
    (pattern) => new RegExp(`^${pattern.replaceAll('*', '[^/]+')}/package\\.json$`),
  );
  return files
    .filter((path) => patterns.some((pattern) => pattern.test(path)))
    .toSorted()
    .map((path) => ({ folder: dirname(path), manifest: manifestAt(path) }));
}

/** The package that an import is of: `zod` of `zod/v4/core`. */
export function packageOf(request: string): string {
  return request
    .split('/')
    .slice(0, request.startsWith('@') ? 2 : 1)
    .join('/');
}

/**
 * The file that an import of a workspace means, from the root, by the `exports` of its package.json.
 *
 * @returns undefined for a package from outside, and for a path that is not exported
 */
export function exportedFile(request: string, workspaces: readonly Workspace[]): string | undefined {
  const name = packageOf(request);
  const workspace = workspaces.find(({ manifest }) => manifest.name === name);
  if (!workspace) return undefined;
  const path = `.${request.slice(name.length)}`;
  // As Node does: the exact name first, then the longest pattern
  const entries = Object.entries(workspace.manifest.exports ?? {}).toSorted(
    ([one], [other]) => other.length - one.length,
  );
  const exact = entries.find(([key]) => key === path);
  const [key = '', target] = exact ?? entries.find(([pattern]) => matches(pattern, path)) ?? [];
  if (typeof target !== 'string') return undefined;
  const [before = ''] = key.split('*');
  return join(workspace.folder, target.replace('*', path.slice(before.length))).replaceAll('\\', '/');
}

function matches(pattern: string, path: string): boolean {
  const [before = '', after] = pattern.split('*');
  return after !== undefined && path.startsWith(before) && path.endsWith(after);
}

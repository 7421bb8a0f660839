// The manifests of the repository, and the folders that are deployed.
import { textOf } from './source.ts';

/** What the rules read of a package.json. */
export interface Manifest {
  readonly name: string;
  readonly dependencies?: Record<string, string>;
  readonly devDependencies?: Record<string, string>;
  readonly optionalDependencies?: Record<string, string>;
  readonly overrides?: Record<string, string>;
}

/** Reads a package.json, by its path from the root. */
export function manifestAt(path: string): Manifest {
  return JSON.parse(textOf(path)) as Manifest;
}

/** The folders that are deployed, each by itself. @param files - as paths from the root */
export function deployedFolders(files: readonly string[]): ReadonlySet<string> {
  return new Set([...files.flatMap((path) => /^(functions\/[^/]+)\//.exec(path)?.[1] ?? []), 'worker']);
}

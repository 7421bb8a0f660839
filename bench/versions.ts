import { readFileSync } from 'node:fs';

const MANIFEST = new URL('../package.json', import.meta.url);

/** The version of a package in the root package.json. The name `baton` gives Baton's own version. */
export function pinnedVersion(name: string): string {
  const manifest = JSON.parse(readFileSync(MANIFEST, 'utf8')) as {
    readonly version: string;
    readonly dependencies: Readonly<Record<string, string>>;
    readonly devDependencies: Readonly<Record<string, string>>;
  };
  if (name === 'baton') return manifest.version;
  return { ...manifest.dependencies, ...manifest.devDependencies }[name] ?? 'unknown';
}

// The package.json of the packed library. The one in the repository points to sources, and its dependencies have no versions.

/** The part of a package.json that packing reads. */
export interface SourceManifest {
  readonly name: string;
  readonly version: string;
  readonly description?: string;
  readonly keywords?: readonly string[];
  readonly license?: string;
  readonly exports?: Readonly<Record<string, string>>;
  readonly engines?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/** The paths of an entry's built files. */
export interface PackedEntry {
  readonly types: string;
  readonly default: string;
}

/** The package.json of the packed library. */
export interface PackedManifest {
  readonly name: string;
  readonly version: string;
  readonly description: string | undefined;
  readonly keywords: readonly string[] | undefined;
  readonly license: string | undefined;
  readonly type: 'module';
  readonly sideEffects: false;
  readonly engines: Readonly<Record<string, string>> | undefined;
  readonly files: readonly string[];
  readonly exports: Readonly<Record<string, PackedEntry | string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
}

/** The folder of the built files in the package. */
export const BUILT = 'lib';

/** The sources of entries. */
const SOURCES = './src/';
/** Peer dependencies: contracts contain schemas that the user makes, so both must use one copy of zod. */
const PEERS: ReadonlySet<string> = new Set(['zod']);
/** Baton uses parts of these that are not documented, which a later version may change. */
const EXACT = /^@(aws-sdk|smithy)\//;
/** Packages whose types are in a package of their own, and appear in Baton's types. */
const TYPES: readonly string[] = ['@types/aws-lambda'];

/**
 * The package.json of the packed library.
 *
 * @param own - the library's own, as it stands in the repository
 * @param root - the root's, which has the versions of all dependencies
 * @throws TypeError naming a dependency without a version, or an entry that is no source file
 */
export function packedManifest(own: SourceManifest, root: SourceManifest): PackedManifest {
  const { name, version, description, keywords, engines } = own;
  const names = [...Object.keys(own.dependencies ?? {}), ...TYPES].toSorted();
  const rangesOf = (which: readonly string[]) =>
    Object.fromEntries(which.map((each) => [each, rangeOf(each, root)]));
  const entries = Object.entries(own.exports ?? {});
  return {
    name,
    version,
    description,
    keywords,
    license: root.license,
    type: 'module',
    sideEffects: false,
    engines,
    files: [BUILT, ...assetsOf(own)],
    exports: {
      ...Object.fromEntries(entries.map(([entry, source]) => [entry, builtOf(entry, source)])),
      './package.json': './package.json',
    },
    dependencies: rangesOf(names.filter((each) => !PEERS.has(each))),
    peerDependencies: rangesOf(names.filter((each) => PEERS.has(each))),
  };
}

/** The files that are packed unchanged: entries that are not TypeScript, by their paths in the package. */
export function assetsOf({ exports = {} }: SourceManifest): string[] {
  return Object.values(exports).flatMap((source) =>
    source.startsWith(SOURCES) ? [] : [source.slice('./'.length)],
  );
}

function builtOf(entry: string, source: string): PackedEntry | string {
  if (!source.startsWith(SOURCES)) return source;
  const [, path] = /^\.\/src\/([^*]+)\.ts$/.exec(source) ?? [];
  if (path === undefined)
    throw new TypeError(`The entry ${entry} cannot be packed: expected ./src/….ts, got ${source}`);
  return { types: `./${BUILT}/${path}.d.ts`, default: `./${BUILT}/${path}.js` };
}

function rangeOf(name: string, { dependencies, devDependencies }: SourceManifest): string {
  const version = dependencies?.[name] ?? devDependencies?.[name];
  if (version === undefined || !/^\d/.test(version))
    throw new TypeError(
      `${name} cannot be packed: expected its version in the root's package.json, got ${version}`,
    );
  return EXACT.test(name) ? version : `^${version}`;
}

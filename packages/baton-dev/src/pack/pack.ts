// Builds the library and packs it, from a new folder that has nothing else of the repository.
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../stack/root.ts';
import { assetsOf, BUILT, packedManifest, type SourceManifest } from './manifest.ts';

const LIBRARY = join(ROOT, 'packages/baton');
const CACHE = join(ROOT, 'node_modules/.cache');
/** A relative import of a source in a declaration. tsc rewrites only the imports in code. */
const SOURCE_IMPORT = /((?:from |import\()["']\.{1,2}\/[^"']+)\.ts(?=["'])/g;

/** A command failed while packing. The message contains its output. */
export class PackError extends Error {
  override readonly name = 'PackError';
}

/**
 * Builds the library, and packs it as `npm pack` does. Resolves to the path of the tarball.
 *
 * @param destination - the folder that the tarball is written to
 * @throws PackError if the types are wrong, or npm refuses; TypeError if a dependency has no version
 */
export function packLibrary(destination: string): string {
  const own = manifestAt(LIBRARY);
  const manifest = packedManifest(own, manifestAt(ROOT));
  mkdirSync(CACHE, { recursive: true });
  // A new folder, because tests pack at the same time
  const folder = mkdtempSync(join(CACHE, 'pack-'));
  try {
    build(folder);
    writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`);
    for (const path of ['README.md', ...assetsOf(own)]) copyFileSync(join(LIBRARY, path), join(folder, path));
    copyFileSync(join(ROOT, 'LICENSE'), join(folder, 'LICENSE'));
    const packed = run('npm', ['pack', folder, '--json', '--pack-destination', destination]);
    const [{ filename }] = JSON.parse(packed) as [{ readonly filename: string }];
    return join(destination, filename);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Compiles the library's sources into a folder. */
function build(folder: string): void {
  const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
  run(process.execPath, [compiler, '-p', 'tsconfig.build.json', '--outDir', folder]);
  renameSync(join(folder, 'src'), join(folder, BUILT));
  for (const path of readdirSync(join(folder, BUILT), { recursive: true, encoding: 'utf8' })) {
    if (!path.endsWith('.d.ts')) continue;
    const file = join(folder, BUILT, path);
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll(SOURCE_IMPORT, '$1.js'));
  }
}

function run(command: string, args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd: LIBRARY, encoding: 'utf8' });
  if (status === 0) return stdout;
  throw new PackError(`${command} ${args[0]} failed:\n${error?.message ?? ''}${stdout}${stderr}`);
}

function manifestAt(folder: string): SourceManifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as SourceManifest;
}

import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { partFolders } from 'baton-dev/stack/part';
import { ROOT } from 'baton-dev/stack/root';
import { docker, dockerSaid } from './docker.ts';

/** The folders with an image: those of all services and of the worker. */
export const imageFolders = partFolders().filter((folder) => existsSync(join(ROOT, folder, 'Dockerfile')));

/** Paths that every build needs: the manifests at the root, the library, and what runs a function. */
const SHARED = [
  'package.json',
  'package-lock.json',
  '.dockerignore',
  'packages/baton',
  'packages/baton-dev/lambda-runtime',
];

const NODE_IMAGE = /^ARG NODE_IMAGE=(\S+)$/m;

/** The base image of all images. @throws Error if the Dockerfile does not name it */
export function nodeImage(folder = 'worker'): string {
  const [, image] = NODE_IMAGE.exec(readFileSync(join(ROOT, folder, 'Dockerfile'), 'utf8')) ?? [];
  if (image === undefined) throw new Error(`${folder}/Dockerfile: expected a line ARG NODE_IMAGE=...`);
  return image;
}

/** A copy of the repository for builds, with only the root's manifests and some folders. */
export class Tree {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** Copies folders, such as `common` and `worker`, without installed packages. */
  static async copy(folders: readonly string[]): Promise<Tree> {
    const tree = new Tree(await mkdtemp(join(tmpdir(), 'baton-tree-')));
    for (const name of [...SHARED, ...folders]) {
      const filter = (from: string): boolean => !['node_modules', '.env'].includes(basename(from));
      await cp(join(ROOT, name), join(tree.path, name), { recursive: true, filter });
    }
    return tree;
  }

  /**
   * Changes the root manifest, so that the engine rebuilds all layers of a service but keeps npm's cache. `--no-cache`
   * does the same, but crashes some engines (26.1) during other builds.
   */
  async renew(): Promise<void> {
    const path = join(this.path, 'package.json');
    const manifest = JSON.parse(await readFile(path, 'utf8')) as object;
    await writeFile(path, JSON.stringify({ ...manifest, description: randomUUID() }));
  }

  /** Deletes the copy. */
  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}

/** Options of a build. */
export interface ImageBuild {
  /** The folder of the Dockerfile, relative to the root. */
  readonly folder: string;
  /** The name of the image. */
  readonly tag: string;
  /** Default `server`. */
  readonly target?: string;
  /** The build context. Default: the repository. */
  readonly context?: string;
  /** Build arguments (ARG). */
  readonly args?: Readonly<Record<string, string>>;
}

/** The result of a build. */
export interface BuiltImage {
  readonly id: string;
  readonly seconds: number;
  /** The instructions that did not come from the cache, such as `[build 2/3] COPY common common`. */
  readonly carriedOut: readonly string[];
}

/** Builds an image. @throws Error with the engine's output if the build fails */
export async function buildImage(build: ImageBuild): Promise<BuiltImage> {
  const { folder, tag, target = 'server', context = ROOT, args = {} } = build;
  const startedAtMs = performance.now();
  const { err } = await dockerSaid(
    'build',
    '--progress=plain',
    `--file=${join(context, folder, 'Dockerfile')}`,
    `--target=${target}`,
    `--tag=${tag}`,
    ...Object.entries(args).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]),
    context,
  );
  const seconds = (performance.now() - startedAtMs) / 1000;
  const id = await docker('image', 'inspect', '--format={{.Id}}', tag);
  return { id, seconds, carriedOut: carriedOut(err) };
}

/** Reads BuildKit's plain progress: a step's number and instruction, then its number with CACHED or DONE. */
function carriedOut(progress: string): string[] {
  const lines = progress.split('\n');
  const steps = lines.flatMap((line) => {
    const [, number = '', instruction = ''] = /^#(\d+) (\[.+ \d+\/\d+\] (?!FROM).+)$/.exec(line) ?? [];
    return instruction ? [{ number, instruction }] : [];
  });
  return steps
    .filter(({ number }) => !lines.includes(`#${number} CACHED`))
    .map(({ instruction }) => instruction);
}

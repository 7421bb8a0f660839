import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BackendNetwork } from './backend-network.ts';
import { Container } from './container.ts';
import { docker } from './docker.ts';
import { ROOT } from 'baton-dev/stack/root';
import { buildImage, type BuiltImage, type ImageBuild, nodeImage, Tree } from './image.ts';
import { memoryOf } from './memory.ts';

/** The figures of an image. */
export interface ImageFigures {
  /** The image's name, such as `baton/task-service`. */
  readonly image: string;
  readonly sizeBytes: number;
  /** Its size without Node's image, which all images share. */
  readonly ownBytes: number;
  readonly buildSeconds: number;
  /** From `docker run` until the image's own check finds it healthy. */
  readonly startSeconds: number;
  /** Memory of the idle container. */
  readonly memoryBytes: number;
}

/** Options of a measurement. */
export interface Measuring {
  /** The network of the containers. */
  readonly network: BackendNetwork;
  /** Whether to rebuild the image's own layers. npm's cache is kept. */
  readonly fresh: boolean;
}

/** Builds the image of a folder as `baton/<service>`, runs it until it is healthy, and removes the container. */
export async function measureImage(folder: string, { network, fresh }: Measuring): Promise<ImageFigures> {
  const image = `baton/${folder.split('/').at(-1)}`;
  const { id, seconds } = await (fresh ? buildFresh : buildImage)({ folder, tag: image, args: labels() });
  const [sizeBytes, baseBytes] = await Promise.all([sizeOf(id), sizeOf(nodeImage(folder))]);
  const environment = network.environmentOf(folder);
  const container = await Container.start({ image: id, environment, options: network.options });
  try {
    const startSeconds = await container.healthy();
    const memoryBytes = (await memoryOf(container.name)).get(container.name) ?? Number.NaN;
    return {
      image,
      sizeBytes,
      ownBytes: sizeBytes - baseBytes,
      buildSeconds: seconds,
      startSeconds,
      memoryBytes,
    };
  } finally {
    await container.remove();
  }
}

async function buildFresh(build: ImageBuild): Promise<BuiltImage> {
  const tree = await Tree.copy(['common', build.folder]);
  try {
    await tree.renew();
    return await buildImage({ ...build, context: tree.path });
  } finally {
    await tree.remove();
  }
}

/** The build arguments for the image's labels. Outside of a git clone they have no revision. */
function labels(): Record<string, string> {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  try {
    const revision = execFileSync('git', ['rev-parse', 'HEAD'], {
      cwd: ROOT,
      stdio: 'pipe',
      encoding: 'utf8',
    });
    return { VERSION: version, REVISION: revision.trim() };
  } catch {
    return { VERSION: version };
  }
}

async function sizeOf(image: string): Promise<number> {
  return Number(await docker('image', 'inspect', '--format={{.Size}}', image));
}

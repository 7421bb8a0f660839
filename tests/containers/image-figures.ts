import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BackendNetwork } from './backend-network.ts';
import { Container } from './container.ts';
import { docker } from './docker.ts';
import { buildImage, type BuiltImage, type ImageBuild, nodeImage, ROOT, Tree } from './image.ts';
import { memoryOf } from './memory.ts';

/** What an image takes. */
export interface ImageFigures {
  /** The name that the image has now, such as `baton/task-service`. */
  readonly image: string;
  readonly sizeBytes: number;
  /** What is in it beside Node's own image, which all images share. */
  readonly ownBytes: number;
  readonly buildSeconds: number;
  /** From `docker run` until the image's own check found it healthy. */
  readonly startSeconds: number;
  /** Of the running container, idle. */
  readonly memoryBytes: number;
}

/** How images are measured. */
export interface Measuring {
  /** What their containers find. */
  readonly network: BackendNetwork;
  /** Whether their own layers are made anew, with npm's cache as it is. */
  readonly fresh: boolean;
}

/** Builds the image of a folder as `baton/<service>`, runs it until it is healthy, and ends it again. */
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

/** What the image's labels say. The revision is left out where this is no clone. */
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

// Asks the registry of images about the digest of the base image.
import { reasonOf } from 'baton-tasks/tooling';
import type { CheckResult } from './check.ts';

const TIMEOUT_MS = 10_000;
const IMAGE = /^(?<name>[a-z0-9-]+):(?<tag>[^@\s]+)(?:@(?<digest>sha256:[a-f0-9]{64}))?$/;
/** The media types of an image for several platforms (OCI Distribution Specification, "Pulling manifests"). */
const INDEX =
  'application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json';

/** Where a registry answers. */
export interface Registry {
  readonly images: string;
  /** Gives everybody a token to read. */
  readonly tokens: string;
}

const DOCKER_HUB: Registry = {
  images: 'https://registry-1.docker.io',
  tokens: 'https://auth.docker.io/token?service=registry.docker.io',
};

/** The base image in the text of a Dockerfile. @throws Error if it has none */
export function baseImageIn(dockerfile: string): string {
  const [, image] = /^ARG NODE_IMAGE=(\S+)$/m.exec(dockerfile) ?? [];
  if (image === undefined) throw new Error('The Dockerfile has no line ARG NODE_IMAGE=...');
  return image;
}

/**
 * Checks that the registry has the image that a digest names. A tag may be given to another image at any time, so an image
 * without a digest gets a warning with the line to write. That does not fail: a new repository has no digest, because one
 * that nobody has compared with the registry's would be worth nothing.
 *
 * @param image - such as `node:24.21.0-bookworm-slim@sha256:...`
 */
export async function checkBaseImage(image: string, registry = DOCKER_HUB): Promise<CheckResult> {
  const name = `digest of the base image ${image.replace(/@.*/, '')}`;
  const { name: repository, tag = '', digest } = IMAGE.exec(image)?.groups ?? {};
  if (repository === undefined)
    return { name, state: 'failed', detail: `expected NAME:TAG@sha256:..., got ${image}` };
  let current: string | undefined;
  let pinned: string | undefined;
  try {
    current = await digestOf(repository, tag, registry);
    pinned = digest && (await digestOf(repository, digest, registry));
  } catch (error) {
    return { name, state: 'skipped', detail: `${registry.images} cannot be reached: ${reasonOf(error)}` };
  }
  if (current === undefined) return { name, state: 'failed', detail: `${registry.images} has no ${image}` };
  if (digest === undefined) {
    const detail = `it has none: write ARG NODE_IMAGE=${image}@${current} in packages/baton-dev/src/dockerfiles/templates/parts/node-image.Dockerfile, then npm run dockerfiles`;
    return { name, state: 'warned', detail };
  }
  if (pinned !== digest)
    return { name, state: 'failed', detail: `${registry.images} has no image with ${digest}` };
  const newer = current === digest ? '' : `; the tag has been given to ${current} since`;
  return { name, state: 'passed', detail: `${digest}${newer}` };
}

/** The digest of an image by its tag or digest. Undefined if the registry has none. @throws Error if it does not answer */
async function digestOf(
  repository: string,
  reference: string,
  { images, tokens }: Registry,
): Promise<string | undefined> {
  const asked = new URL(tokens);
  asked.searchParams.set('scope', `repository:library/${repository}:pull`);
  const granted = await fetch(asked, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!granted.ok) throw new Error(`${asked.host} answered ${granted.status}`);
  const { token } = (await granted.json()) as { token: string };
  const response = await fetch(`${images}/v2/library/${repository}/manifests/${reference}`, {
    method: 'HEAD',
    headers: { authorization: `Bearer ${token}`, accept: INDEX },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (response.status === 404) return undefined;
  if (!response.ok) throw new Error(`it answered ${response.status}`);
  return response.headers.get('docker-content-digest') ?? undefined;
}

import { expect } from '@jest/globals';
import { docker } from './docker.ts';

/** Build arguments for the labels of an image. */
export const LABEL_ARGS = { VERSION: '1.2.3', REVISION: '0123abc', SOURCE: 'https://example.com/baton' };

/** The labels of every image beside its title (OCI image spec: "Annotations"). */
export const LABELLED = {
  'org.opencontainers.image.description': expect.stringMatching(/\w+ \w+/),
  'org.opencontainers.image.licenses': 'MIT',
  'org.opencontainers.image.version': LABEL_ARGS.VERSION,
  'org.opencontainers.image.revision': LABEL_ARGS.REVISION,
  'org.opencontainers.image.source': LABEL_ARGS.SOURCE,
};

/** The labels of an image. */
export async function labelsOf(image: string): Promise<unknown> {
  return JSON.parse(await docker('image', 'inspect', '--format={{json .Config.Labels}}', image)) as unknown;
}

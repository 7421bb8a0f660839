import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { partFolders } from 'baton-dev/stack/part';
import { BackendNetwork } from './backend-network.ts';
import { note } from './figures.ts';
import { imageFolders } from './image.ts';
import { measureImage } from './image-figures.ts';

const SECONDS = 30;

let network: BackendNetwork;

beforeAll(async () => {
  network = await BackendNetwork.start(partFolders());
});
afterAll(() => network.stop());

test.each(imageFolders)(
  `the image of %s is built without cached layers and becomes healthy within ${SECONDS} s`,
  async (folder) => {
    const { image, buildSeconds, startSeconds, memoryBytes } = await measureImage(folder, {
      network,
      fresh: true,
    });
    const seconds = buildSeconds + startSeconds;
    note({
      criterion: 'SC-001',
      what: `${image}: built and started`,
      target: `under ${SECONDS} s`,
      seen: `${buildSeconds.toFixed(1)} s + ${startSeconds.toFixed(1)} s, ${(memoryBytes / 1e6).toFixed(0)} MB`,
      holds: seconds < SECONDS,
    });
    expect(seconds).toBeLessThan(SECONDS);
  },
);

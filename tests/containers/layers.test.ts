import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { note } from './figures.ts';
import { type BuiltImage, buildImage, imageFolders, Tree } from './image.ts';

const ALL_SECONDS = 120;

let tree: Tree;

beforeAll(async () => {
  tree = await Tree.copy(['common', 'functions', 'worker']);
});
afterAll(() => tree.remove());

/** Builds every image, one after the other. Resolves to them by their folders. */
async function buildAll(): Promise<Map<string, BuiltImage>> {
  const built = new Map<string, BuiltImage>();
  for (const folder of imageFolders) {
    const tag = `baton-img-layers-${folder.replace('/', '-')}`;
    built.set(folder, await buildImage({ folder, tag, context: tree.path }));
  }
  return built;
}

/** Changes a text that ends up in bundles, to one that no build has seen: the engine remembers those of earlier runs. */
async function change(file: string, text: string): Promise<void> {
  const path = join(tree.path, file);
  const source = await readFile(path, 'utf8');
  expect(source).toContain(text);
  await writeFile(path, source.replace(text, `${text}${randomUUID()}`));
}

const changedBetween = (before: Map<string, BuiltImage>, after: Map<string, BuiltImage>): string[] =>
  imageFolders.filter((folder) => before.get(folder)?.id !== after.get(folder)?.id);

const installs = (built: Map<string, BuiltImage>): string[] =>
  [...built.values()].flatMap(({ carriedOut }) => carriedOut.filter((each) => each.includes('npm ci')));

test('a change of nothing carries nothing out', async () => {
  const before = await buildAll();
  const after = await buildAll();
  expect(changedBetween(before, after)).toEqual([]);
  expect([...after.values()].flatMap(({ carriedOut }) => carriedOut)).toEqual([]);
});

test("a change of one service's code makes its image anew, and no layer of any other", async () => {
  const before = await buildAll();
  await change('functions/order-service/api.ts', 'accepted');
  const after = await buildAll();
  expect(changedBetween(before, after)).toEqual(['functions/order-service']);
  const busy = imageFolders.filter((folder) => after.get(folder)?.carriedOut.length !== 0);
  expect(busy).toEqual(['functions/order-service']);
  expect(installs(after)).toEqual([]);
});

test(`a change of common is in every image within ${ALL_SECONDS} s, and installs nothing`, async () => {
  const before = await buildAll();
  await change('common/config.ts', 'is not one to start with');
  const after = await buildAll();
  expect(changedBetween(before, after)).toEqual(imageFolders);
  expect(installs(after)).toEqual([]);
  const seconds = [...after.values()].reduce((sum, built) => sum + built.seconds, 0);
  note({
    criterion: 'SC-007',
    what: 'a change of common is in all images',
    target: `under ${ALL_SECONDS} s`,
    seen: `${after.size} images after ${seconds.toFixed(1)} s`,
    holds: seconds < ALL_SECONDS,
  });
  expect(seconds).toBeLessThan(ALL_SECONDS);
});

test('what no bundle is made of (tests, docs, an environment) makes no image anew', async () => {
  const before = await buildAll();
  const files = [
    'common/tests/config.test.ts',
    'functions/order-service/.env',
    'functions/order-service/README.md',
    'worker/.env.example',
  ];
  for (const file of files) await writeFile(join(tree.path, file), randomUUID());
  const after = await buildAll();
  expect([...after.values()].flatMap(({ carriedOut }) => carriedOut)).toEqual([]);
  expect(changedBetween(before, after)).toEqual([]);
});

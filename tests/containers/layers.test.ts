import { randomUUID } from 'node:crypto';
import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { docker } from './docker.ts';
import { note } from './figures.ts';
import { type BuiltImage, buildImage, imageFolders, Tree } from './image.ts';

const ALL_SECONDS = 120;

let tree: Tree;
const ids = new Set<string>();

beforeAll(async () => {
  tree = await Tree.copy(['common', 'functions', 'worker']);
});
afterAll(async () => {
  await tree.remove();
  // No other run can use these images
  await docker('image', 'rm', '--force', ...ids);
});

/** Builds all images, one after the other. Resolves to the images by folder. */
async function buildAll(): Promise<Map<string, BuiltImage>> {
  const built = new Map<string, BuiltImage>();
  for (const folder of imageFolders) {
    const tag = `baton-img-layers-${folder.replace('/', '-')}`;
    const image = await buildImage({ folder, tag, context: tree.path });
    built.set(folder, image);
    ids.add(image.id);
  }
  return built;
}

/** Adds a random line to a program, because the engine remembers the lines of earlier runs. */
async function change(file: string): Promise<void> {
  await appendFile(join(tree.path, file), `process.title = '${randomUUID()}';\n`);
}

const changedBetween = (before: Map<string, BuiltImage>, after: Map<string, BuiltImage>): string[] =>
  imageFolders.filter((folder) => before.get(folder)?.id !== after.get(folder)?.id);

const installs = (built: Map<string, BuiltImage>): string[] =>
  [...built.values()].flatMap(({ carriedOut }) => carriedOut.filter((each) => each.includes('npm ci')));

test('a build without a change carries no instruction out', async () => {
  const before = await buildAll();
  const after = await buildAll();
  expect(changedBetween(before, after)).toEqual([]);
  expect([...after.values()].flatMap(({ carriedOut }) => carriedOut)).toEqual([]);
});

test.each(imageFolders)('a change of %s rebuilds its image, but no layer of other images', async (folder) => {
  const before = await buildAll();
  await change(`${folder}/main.ts`);
  const after = await buildAll();
  expect(changedBetween(before, after)).toEqual([folder]);
  expect(imageFolders.filter((each) => after.get(each)?.carriedOut.length !== 0)).toEqual([folder]);
  expect(installs(after)).toEqual([]);
});

test(`a change of the library gets into all images within ${ALL_SECONDS} s, without an install`, async () => {
  const before = await buildAll();
  await change('packages/baton/src/process/config.ts');
  const after = await buildAll();
  expect(changedBetween(before, after)).toEqual(imageFolders);
  expect(installs(after)).toEqual([]);
  const seconds = [...after.values()].reduce((sum, built) => sum + built.seconds, 0);
  note({
    criterion: 'SC-007',
    what: 'a change of the library is in all images',
    target: `under ${ALL_SECONDS} s`,
    seen: `${after.size} images after ${seconds.toFixed(1)} s`,
    holds: seconds < ALL_SECONDS,
  });
  expect(seconds).toBeLessThan(ALL_SECONDS);
});

test('a change of the manifests at the root compiles no client of the Lambda runtime again', async () => {
  const build = { folder: 'worker', target: 'lambda', tag: 'baton-img-layers-lambda', context: tree.path };
  const before = await buildImage(build);
  await tree.renew();
  const after = await buildImage(build);
  ids.add(before.id).add(after.id);
  expect(after.carriedOut).toContainEqual(expect.stringContaining('[dependencies '));
  expect(after.carriedOut.filter((each) => each.startsWith('[lambda-runtime '))).toEqual([]);
});

test('a change of tests, docs or an environment rebuilds no image', async () => {
  const before = await buildAll();
  const files = [
    'packages/baton/src/process/tests/config.test.ts',
    'functions/task-service/.env',
    'functions/task-service/README.md',
    'worker/.env.example',
  ];
  for (const file of files) await writeFile(join(tree.path, file), randomUUID());
  const after = await buildAll();
  expect([...after.values()].flatMap(({ carriedOut }) => carriedOut)).toEqual([]);
  expect(changedBetween(before, after)).toEqual([]);
});

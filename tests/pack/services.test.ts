import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { packLibrary } from 'baton-dev/pack/pack';
import { OutsideProject } from './outside-project.ts';

const LONG_MS = 240_000;
const JEST = [
  '--experimental-vm-modules',
  '--disable-warning=ExperimentalWarning',
  'node_modules/jest/bin/jest.js',
];
let folder: string;
let project: OutsideProject;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'baton-pack-'));
  project = await OutsideProject.ofRepository(packLibrary(folder));
}, LONG_MS);
afterAll(async () => {
  await project?.remove();
  await rm(folder, { recursive: true, force: true });
});

test('the copy of the repository uses the packed library', async () => {
  await project.write('where.mjs', "console.log(import.meta.resolve('baton-tasks'));");
  const { output } = await project.run('node', 'where.mjs');
  expect(output.trim()).toBe(pathToFileURL(join(project.path, 'node_modules/baton-tasks/lib/index.js')).href);
});

test(
  'the tests of services and contracts pass with the packed library outside the repository',
  async () => {
    const { output, exitCode } = await project.run('node', ...JEST, '--forceExit', 'functions/', 'common/');
    expect([exitCode, exitCode === 0 ? '' : output]).toEqual([0, '']);
    expect(output).toMatch(/Test Suites: ([1-9]\d?) passed, \1 total/);
  },
  LONG_MS,
);

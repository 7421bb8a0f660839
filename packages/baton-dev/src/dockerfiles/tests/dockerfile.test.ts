import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ROOT } from '../../stack/root.ts';
import { COMMAND, serviceDockerfile, writtenDockerfiles } from '../dockerfile.ts';
import { renderTemplate } from '../template.ts';

test('each Dockerfile matches its template', () => {
  const written = writtenDockerfiles(ROOT);
  const stale = written.filter(({ text, found }) => text !== found);
  expect(stale.map(({ path }) => `${path} is not as its template makes it: run "${COMMAND}"`)).toEqual([]);
  expect(written.length).toBeGreaterThan(1);
});

test('images install packages of npm by a lock alone, and packages of Debian by their versions', () => {
  for (const { path, text } of writtenDockerfiles(ROOT)) {
    const commands = text.replaceAll(/^#.*\n/gm, '').replaceAll('\\\n', '');
    const unlocked = commands.match(/\b(?:npm (?:install|i|add|exec)|npx)\b.*/g) ?? [];
    const packages = [...commands.matchAll(/apt-get install ([^&\n]*)/g)]
      .flatMap(([, words = '']) => words.trim().split(/\s+/))
      .filter((word) => !word.startsWith('--'));
    expect([path, unlocked]).toEqual([path, []]);
    expect([path, packages.filter((each) => !/^[a-z0-9.+-]+=\d\S*$/.test(each))]).toEqual([path, []]);
    expect(packages).toContainEqual(expect.stringMatching(/^tini=/));
  }
});

describe('the Dockerfile of a service', () => {
  const image = { folder: 'functions/naps-service', description: 'Takes naps', files: ['main.ts', 'api.ts'] };

  test('bundles the entries of the service', () => {
    const consumers = serviceDockerfile({ ...image, files: [...image.files, 'handlers.ts', 'store.ts'] });
    expect(consumers).toContain(' functions/naps-service/api.ts functions/naps-service/handlers.ts \\\n');
    expect(consumers).toContain('COPY --from=build /bundle/api.mjs* /bundle/handlers.mjs* ./\n');
    expect(consumers).not.toContain('store');
    expect(serviceDockerfile(image)).not.toContain('handlers.ts');
    expect(serviceDockerfile(image)).toContain('COPY --from=build /bundle/api.mjs* ./\n');
  });

  test('has labels that say what the service does', () => {
    const text = serviceDockerfile(image);
    expect(text).toContain('LABEL org.opencontainers.image.title="naps-service" \\\n');
    expect(text.match(/image\.description="Takes naps" /g)).toHaveLength(2);
  });
});

describe('a repository', () => {
  let root: string;
  const write = async (path: string, text: string): Promise<void> => {
    await mkdir(join(root, path, '..'), { recursive: true });
    await writeFile(join(root, path), text);
  };
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'dockerfiles-'));
    await write('functions/naps-service/package.json', '{ "description": "Takes naps" }');
    await write('functions/naps-service/api.ts', '');
    await write('worker/package.json', '{ "description": "Works" }');
  });
  afterEach(() => rm(root, { recursive: true }));

  test('gets a Dockerfile for each service, the worker and the containers beside them', () => {
    expect(writtenDockerfiles(root)).toEqual([
      { path: 'functions/naps-service/Dockerfile', text: expect.any(String), found: undefined },
      { path: 'worker/Dockerfile', text: expect.any(String), found: undefined },
      { path: 'packages/baton-dev/Dockerfile', text: expect.any(String), found: undefined },
    ]);
  });

  test('keeps a Dockerfile that the user has taken over', async () => {
    const [nap] = writtenDockerfiles(root);
    await write('functions/naps-service/Dockerfile', nap?.text ?? '');
    expect(writtenDockerfiles(root)).toContainEqual({ ...nap, found: nap?.text });
    await write('functions/naps-service/Dockerfile', 'FROM scratch\n');
    expect(writtenDockerfiles(root).map(({ path }) => path)).not.toContain(nap?.path);
  });

  test('is refused with the file and the missing field if a service has no description', async () => {
    await write('functions/naps-service/package.json', '{}');
    expect(() => writtenDockerfiles(root)).toThrow(
      'functions/naps-service/package.json has no "description": expected what the service does',
    );
  });
});

test('a template with a placeholder without a value is refused', () => {
  expect(() => renderTemplate('service', { folder: 'functions/naps-service' })).toThrow(
    'service.Dockerfile: {{name}} has no value, expected one of folder',
  );
});

import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { runInstaller } from '../installer.ts';
import { lockedVersion, requiredVersion, rivals, RIVALS_FOLDER } from '../rival-set.ts';

const textOf = (file: string): string => readFileSync(`${RIVALS_FOLDER}${file}`, 'utf8');

test('rivals have the exact versions of their lock files, and their programs exist', () => {
  const { dependencies } = JSON.parse(textOf('package.json')) as { dependencies: Record<string, string> };
  const locked = Object.keys(dependencies).map((name) => [name, lockedVersion(name)]);
  expect(Object.fromEntries(locked)).toEqual(dependencies);
  for (const { command, version } of rivals) {
    expect([...Object.values(dependencies), requiredVersion('celery')]).toContain(version);
    expect(existsSync(command[1] ?? '')).toBe(true);
  }
  const loose = textOf('celery/requirements.txt').match(/^(?!#|[a-z0-9._[\]-]+==[\d.a-z]+$).+$/gim);
  expect(loose).toBeNull();
});

test('each rival has a name of its own', () => {
  expect(new Set(rivals.map(({ name }) => name)).size).toBe(rivals.length);
});

test('a failed installation gives its reason on one line', async () => {
  await expect(runInstaller('no-such-installer', [], RIVALS_FOLDER)).rejects.toThrow(
    /^no no-such-installer on this machine$/,
  );
  const script = 'console.error("Looking\\nERROR: no network\\nat x"); process.exit(1)';
  await expect(runInstaller(process.execPath, ['-e', script], RIVALS_FOLDER)).rejects.toThrow(
    /^node -e .* failed: ERROR: no network$/,
  );
});

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, test } from '@jest/globals';
import { Repository } from 'baton-dev/sources/repository';
import { note } from './figures.ts';

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'baton-installs-'));

afterAll(() => rmSync(folder, { recursive: true }));

/** Runs `npm ci` on the manifests and the lock file. Returns one hash of all installed paths and contents. */
async function hashOfInstall(name: string): Promise<string> {
  const root = join(folder, name);
  const manifests = new Repository().files.filter((path) =>
    /(^|\/)(package\.json|package-lock\.json|\.npmrc)$/.test(path),
  );
  for (const path of manifests) cpSync(path, join(root, path));
  await run('npm', ['ci', '--no-audit', '--no-fund'], { cwd: root });
  const hash = createHash('sha256');
  const entries = readdirSync(join(root, 'node_modules'), { recursive: true, withFileTypes: true });
  const byPath = entries.map((entry) => ({
    entry,
    path: join(entry.parentPath, entry.name).slice(root.length),
  }));
  for (const { entry, path } of byPath.toSorted((one, other) => (one.path < other.path ? -1 : 1))) {
    hash.update(`${path}\0`);
    if (entry.isSymbolicLink()) hash.update(readlinkSync(root + path));
    else if (entry.isFile()) hash.update(readFileSync(root + path));
  }
  return hash.digest('hex');
}

test('npm ci installs everything, and a second npm ci gives the same files', async () => {
  const startedAtMs = performance.now();
  const first = await hashOfInstall('first');
  const seconds = (performance.now() - startedAtMs) / 1000;
  const second = await hashOfInstall('second');
  note({
    criterion: 'SC-010',
    what: 'one command installs everything',
    target: 'npm ci',
    seen: `npm ci, ${seconds.toFixed(0)} s`,
    holds: true,
  });
  note({
    criterion: 'SC-011',
    what: 'the lock gives identical environments',
    target: 'two installs, one hash',
    seen: `${first.slice(0, 12)} and ${second.slice(0, 12)}`,
    holds: first === second,
  });
  expect(second).toBe(first);
});

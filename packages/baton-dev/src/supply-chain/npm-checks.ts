// Asks npm what it knows about the locked packages.
import { execFile } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { CheckResult } from './check.ts';

/** How npm says, on its standard error, that the registry, or a proxy, does not answer a question. */
const NOT_ANSWERED =
  /audit endpoint returned an error|no signing keys|found no dependencies to audit|\bcode (?:ENOTFOUND|ECONNREFUSED|ETIMEDOUT|EAI_AGAIN|E40[345]|E50\d)\b/;
const TIMEOUT_MS = 120_000;
const MAX_OUTPUT_BYTES = 10_000_000;
/** What `npm run --silent` would hide: why npm failed. */
const LOG_LEVEL = '--loglevel=warn';

const call = promisify(execFile);

/** The questions: whether a package has a known vulnerability, and whether the registry signed what is installed. */
export const NPM_CHECKS = {
  'known vulnerabilities': ['audit', '--omit=dev'],
  'signatures of packages': ['audit', 'signatures'],
} as const;

interface Said {
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a check of npm in a folder with installed packages. */
export async function checkByNpm(
  name: string,
  args: readonly string[],
  cwd: string,
  npm = 'npm',
): Promise<CheckResult> {
  try {
    const { stdout, stderr } = await call(npm, [...args, LOG_LEVEL], {
      cwd,
      timeout: TIMEOUT_MS,
      maxBuffer: MAX_OUTPUT_BYTES,
    });
    return { name, state: 'passed', detail: textOf({ stdout, stderr }).split('\n')[0] ?? '' };
  } catch (error) {
    // A status is a number. Otherwise npm could not be run, or did not end in time
    const { code, stdout = '', stderr = '' } = error as Partial<Said> & { readonly code?: unknown };
    if (typeof code !== 'number' || NOT_ANSWERED.test(stderr))
      return { name, state: 'skipped', detail: `the registry does not answer npm ${args.join(' ')}` };
    return { name, state: 'failed', detail: textOf({ stdout, stderr }) };
  }
}

/**
 * Runs the checks of npm on a project that is installed nowhere. It installs a copy by the lock, which compares the
 * checksums of all packages and runs none of their scripts.
 *
 * @param project - its name, for the results
 * @param folder - of its package.json and package-lock.json
 */
export async function checkLockByNpm(project: string, folder: string, npm = 'npm'): Promise<CheckResult[]> {
  const copy = mkdtempSync(join(tmpdir(), 'baton-lock-'));
  try {
    for (const file of ['package.json', 'package-lock.json'])
      copyFileSync(join(folder, file), join(copy, file));
    const install = ['ci', '--ignore-scripts', '--no-audit'];
    const results = [await checkByNpm(`checksums of ${project}`, install, copy, npm)];
    if (results[0]?.state !== 'passed') return results;
    for (const [name, args] of Object.entries(NPM_CHECKS))
      results.push(await checkByNpm(`${name} of ${project}`, args, copy, npm));
    return results;
  } finally {
    rmSync(copy, { recursive: true });
  }
}

const textOf = ({ stdout, stderr }: Said): string => `${stdout}${stderr}`.trim();

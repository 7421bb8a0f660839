// Asks npm what it knows about the locked packages.
import { spawnSync } from 'node:child_process';
import type { CheckResult } from './check.ts';

/** How npm says, on its standard error, that the registry, or a proxy, does not answer a question. */
const NOT_ANSWERED =
  /audit endpoint returned an error|no signing keys|found no dependencies to audit|\bcode (?:ENOTFOUND|ECONNREFUSED|ETIMEDOUT|EAI_AGAIN|E40[345]|E50\d)\b/;
const TIMEOUT_MS = 120_000;

/** The questions: whether a package has a known vulnerability, and whether the registry signed what is installed. */
export const NPM_CHECKS = {
  'known vulnerabilities': ['audit', '--omit=dev'],
  'signatures of packages': ['audit', 'signatures'],
} as const;

/** Runs a check of npm in the repository. */
export function checkByNpm(name: string, args: readonly string[], cwd: string, npm = 'npm'): CheckResult {
  const { status, stdout, stderr, error } = spawnSync(npm, args, {
    cwd,
    encoding: 'utf8',
    timeout: TIMEOUT_MS,
  });
  const text = `${stdout}${stderr}`.trim();
  if (status === 0) return { name, state: 'passed', detail: text.split('\n')[0] ?? '' };
  if (error || NOT_ANSWERED.test(stderr))
    return { name, state: 'skipped', detail: `the registry does not answer npm ${args.join(' ')}` };
  return { name, state: 'failed', detail: text };
}

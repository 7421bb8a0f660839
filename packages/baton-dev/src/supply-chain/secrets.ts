// Looks for secrets in the files of the repository.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from '../stack/root.ts';
import type { CheckResult } from './check.ts';

const PROGRAM = join(ROOT, 'node_modules/secretlint/bin/secretlint.js');
/** The rules. Passwords of tests and examples in URLs are allowed by their words. */
const CONFIG = join(import.meta.dirname, 'secretlint.json');

/** Looks for secrets in files, by their paths from `cwd`, with secretlint. */
export function checkSecrets(files: readonly string[], cwd: string): CheckResult {
  const name = 'secrets in files';
  const args = [PROGRAM, '--secretlintrc', CONFIG, '--no-color', ...files];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd, encoding: 'utf8' });
  if (status === 0) return { name, state: 'passed', detail: `none in ${files.length} files` };
  return { name, state: 'failed', detail: `${stdout}${stderr}`.trim() };
}

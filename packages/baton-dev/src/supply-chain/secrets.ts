// Looks for secrets in the files of the repository.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../stack/root.ts';
import type { CheckResult } from './check.ts';

const PROGRAM = join(ROOT, 'node_modules/secretlint/bin/secretlint.js');
/** The rules. Passwords of tests and examples in URLs are allowed by their words. */
const CONFIG = join(import.meta.dirname, 'secretlint.json');
/** A comment by which a file takes itself out of the check. */
const DIRECTIVE = /secretlint-(?=disable)/g;

/**
 * Looks for secrets in files, by their paths from `cwd`, with secretlint. It looks at each file twice: as it is, because
 * some rules go by its name; and as plain text under another name, so that no file can take itself out of the check by its
 * name, its encoding, a comment, or a list of ignored files.
 */
export function checkSecrets(files: readonly string[], cwd: string): CheckResult {
  const name = 'secrets in files';
  const copies = mkdtempSync(join(tmpdir(), 'baton-secrets-'));
  try {
    files.forEach((file, index) =>
      writeFileSync(join(copies, `${index}.txt`), plainText(readFileSync(join(cwd, file)))),
    );
    const copied = files.map((_file, index) => `${index}.txt`);
    const found = [findings(files, cwd), findings(copied, copies)].join('\n').trim();
    if (found === '') return { name, state: 'passed', detail: `none in ${files.length} files` };
    // On macOS a temporary folder has two paths
    const named = found.replaceAll(/\S{0,200}baton-secrets-\w{6}\/(\d{1,9})\.txt/g, (_path, index: string) =>
      join(cwd, files[Number(index)] ?? ''),
    );
    return { name, state: 'failed', detail: named };
  } finally {
    rmSync(copies, { recursive: true });
  }
}

/** What secretlint finds in files. Empty if that is nothing. */
function findings(files: readonly string[], cwd: string): string {
  // A file may be called `--version`
  const paths = files.map((file) => `./${file}`);
  const args = [PROGRAM, '--secretlintrc', CONFIG, '--no-color', ...paths];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd, encoding: 'utf8' });
  return status === 0 ? '' : `${stdout}${stderr}`.trim() || `secretlint ended with the status ${status}`;
}

/** The text of a file without what hides it. UTF-16 is ASCII with a NUL beside each character. */
function plainText(bytes: Buffer): string {
  return bytes.toString('latin1').replaceAll('\0', '').replaceAll(DIRECTIVE, '');
}

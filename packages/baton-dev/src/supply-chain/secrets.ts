// Looks for secrets in the files of the repository.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { ROOT } from '../stack/root.ts';
import type { CheckResult } from './check.ts';
import { knownSecrets } from './known-secrets.ts';

const PROGRAM = join(ROOT, 'node_modules/secretlint/bin/secretlint.js');
/** The rules. Passwords of tests and examples in URLs are allowed by their words. */
const CONFIG = join(import.meta.dirname, 'secretlint.json');
/** What begins a comment of secretlint. Such a comment can turn rules off. */
const DIRECTIVE = 'secretlint-';

/**
 * Looks for secrets in files, by their paths from `cwd`, with secretlint and `knownSecrets`. Secretlint looks at two copies
 * of each file: one that ends like its name, because some rules go by that; and one as plain text under another name. So no
 * file can take itself out of the check by its name, its encoding, a comment, or a list of ignored files.
 */
export function checkSecrets(files: readonly string[], cwd: string): CheckResult {
  const name = 'secrets in files';
  const copies = mkdtempSync(join(tmpdir(), 'baton-secrets-'));
  try {
    const known: string[] = [];
    const copied = files.flatMap((file, index) => {
      const text = withoutDirectives(readFileSync(join(cwd, file), 'latin1'));
      const named = `${index}-${endOf(file)}`;
      const plain = `${index}.txt`;
      const plainText = withoutDirectives(withoutNuls(text));
      writeFileSync(join(copies, named), text, 'latin1');
      writeFileSync(join(copies, plain), plainText);
      known.push(...knownSecrets(plainText).map((secret) => `${join(cwd, file)}:${secret}`));
      return [named, plain];
    });
    const found = findings(copied, copies);
    if (found === '' && known.length === 0)
      return { name, state: 'passed', detail: `none in ${files.length} files` };
    // On macOS a temporary folder has two paths
    const detail = found.replaceAll(
      /\S{0,200}baton-secrets-\w{6}\/(\d{1,9})[.-][\w.-]{0,60}/g,
      (_path, index: string) => join(cwd, files[Number(index)] ?? ''),
    );
    return { name, state: 'failed', detail: [...known, detail].join('\n').trim() };
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

/** The end of a file's name, in which no character has a meaning for secretlint. */
function endOf(file: string): string {
  return basename(file)
    .replaceAll(/[^\w.-]/g, '_')
    .slice(-60);
}

function withoutDirectives(text: string): string {
  // With a character in its place: what is left and right of it cannot become another
  return text.replaceAll(DIRECTIVE, 'secretlint ');
}

/** UTF-16 is ASCII with a NUL beside each character. */
function withoutNuls(text: string): string {
  return text.replaceAll('\0', '');
}

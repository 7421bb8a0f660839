// The files in which secrets are looked for.
import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync } from 'node:fs';
import { join } from 'node:path';
import { Repository } from '../sources/repository.ts';

/**
 * Lists the files below a folder: where git keeps them, those that it tracks or would add, whatever their folders are called.
 * Elsewhere all, except in folders such as node_modules.
 *
 * @throws Error if git cannot list them
 */
export function filesToCheck(root: string): readonly string[] {
  if (!existsSync(join(root, '.git'))) return new Repository(root).files;
  const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const { status, stdout, stderr, error } = spawnSync('git', args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: Infinity,
  });
  if (status !== 0) throw new Error(`git cannot list the files of ${root}: ${error?.message ?? stderr}`);
  // Git names files that were deleted, links, and repositories inside this one too
  return [...new Set(stdout.split('\0'))].filter(
    (file) => file !== '' && lstatSync(join(root, file), { throwIfNoEntry: false })?.isFile(),
  );
}

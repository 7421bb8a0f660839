// Writes the files of a new service.
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { NewServiceError } from './service-name.ts';
import type { NewFile } from './template.ts';

/**
 * Writes new files.
 *
 * @param root - of the repository
 * @throws NewServiceError if one exists already. Then nothing is changed
 */
export async function writeNew(root: string, files: readonly NewFile[]): Promise<void> {
  const made: string[] = [];
  try {
    for (const { path, text } of files) {
      const folder = await mkdir(dirname(join(root, path)), { recursive: true });
      if (folder !== undefined) made.push(folder);
      await writeFile(join(root, path), text, { flag: 'wx' });
      made.push(join(root, path));
    }
  } catch (error) {
    for (const path of made) await rm(path, { recursive: true, force: true });
    const { code, path } = error as NodeJS.ErrnoException;
    throw code === 'EEXIST'
      ? new NewServiceError(`${path} exists already: expected a path without a file`)
      : error;
  }
}

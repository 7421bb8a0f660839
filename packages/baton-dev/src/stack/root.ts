// The root of the repository.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A file that marks the root of a repository. */
const MARK = 'worker/functions.yml';

/** The folder of the repository: the nearest one above these tools that has a `worker/functions.yml`. */
export const ROOT = rootAbove(import.meta.dirname);

function rootAbove(folder: string): string {
  if (existsSync(join(folder, MARK))) return folder;
  const parent = dirname(folder);
  if (parent === folder)
    throw new Error(
      `No folder above ${import.meta.dirname} has a ${MARK}: expected the tools in a repository with one`,
    );
  return rootAbove(parent);
}

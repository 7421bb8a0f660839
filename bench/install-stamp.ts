import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** In a folder that was installed, the hash of what it was installed from. */
const STAMP = 'installed-from';

/**
 * Marks an installed folder with the hash of the lock that it was installed from. Installers empty the folder first, so a
 * stamp stands for a whole installation.
 */
export class InstallStamp {
  readonly #path: string;
  readonly #hash: string;

  /**
   * @param folder - what an installer fills, such as `node_modules`
   * @param lock - the file that it installs from
   */
  constructor(folder: string, lock: string) {
    this.#path = join(folder, STAMP);
    this.#hash = createHash('sha256').update(readFileSync(lock)).digest('hex');
  }

  /** Whether the folder was installed from the lock as it is now. */
  get fits(): boolean {
    return existsSync(this.#path) && readFileSync(this.#path, 'utf8') === this.#hash;
  }

  /** Marks the folder as installed. */
  write(): void {
    writeFileSync(this.#path, this.#hash);
  }
}

import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** File in an installed folder that holds the hash of the lock file. */
const STAMP = 'installed-from';

/**
 * Marks an installed folder with the hash of its lock file. Installers empty the folder first, so a stamp proves that
 * the installation was completed.
 */
export class InstallStamp {
  readonly #path: string;
  readonly #hash: string;

  /**
   * @param folder - the folder that the installer fills, such as `node_modules`
   * @param lock - the lock file that it installs from
   */
  constructor(folder: string, lock: string) {
    this.#path = join(folder, STAMP);
    this.#hash = createHash('sha256').update(readFileSync(lock)).digest('hex');
  }

  /** Whether the folder was installed from the current lock file. */
  get fits(): boolean {
    return existsSync(this.#path) && readFileSync(this.#path, 'utf8') === this.#hash;
  }

  /** Marks the folder as installed. */
  write(): void {
    writeFileSync(this.#path, this.#hash);
  }
}

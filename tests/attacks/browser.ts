import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';

/** The names of Chromium's program. */
const PROGRAMS = ['chromium', 'chromium-browser', 'google-chrome'];

/** Chromium's program. Undefined if this machine has none. */
export const chromium = PROGRAMS.find((name) => spawnSync(name, ['--version']).status === 0);

/** A page's name in the browser that leads to this machine, as after DNS rebinding. */
export const FOREIGN_NAME = 'shop.example';

/** Chromium without a window, on one page. */
export class Browser {
  readonly #folder = mkdtempSync(join(tmpdir(), 'baton-browser-'));
  readonly #child;
  readonly #chunks: string[] = [];

  /** Opens a page. */
  constructor(url: string, options: readonly string[] = []) {
    this.#child = spawn(
      chromium ?? '',
      [
        '--headless=new',
        // The tests may run as root, which Chromium's sandbox refuses; the page is our own
        '--no-sandbox',
        '--disable-gpu',
        '--disable-dev-shm-usage',
        '--no-first-run',
        `--user-data-dir=${this.#folder}`,
        `--host-resolver-rules=MAP ${FOREIGN_NAME} 127.0.0.1`,
        ...options,
        url,
      ],
      { stdio: ['ignore', 'pipe', 'ignore'], detached: true },
    );
    this.#child.stdout.setEncoding('utf8').on('data', (chunk: string) => this.#chunks.push(chunk));
  }

  /** The text that a page shows. */
  static async textOf(url: string): Promise<string> {
    const browser = new Browser(url, ['--dump-dom']);
    await once(browser.#child, 'close');
    await browser.close();
    return browser.#chunks.join('');
  }

  /** Ends the browser and all its processes. */
  async close(): Promise<void> {
    if (this.#child.exitCode === null) {
      const closed = once(this.#child, 'close');
      process.kill(-(this.#child.pid ?? 0), 'SIGKILL');
      await closed;
    }
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 10 });
  }
}

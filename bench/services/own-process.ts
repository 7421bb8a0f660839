import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pidusage from 'pidusage';
import type { Bench } from '../bench.ts';

/** The root of the repository. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const STOP_MS = 10_000;
const POLL_MS = 10;
const SHOWN_CHARACTERS = 2000;

/** How a process is started. */
export interface ProcessOptions {
  readonly command: readonly [program: string, ...args: string[]];
  /** Beside PATH and HOME, which are this process's own. */
  readonly environment?: Readonly<Record<string, string>>;
  /** What messages call it, and the file in the bench's folder that takes its output: all of it, as logs are written. */
  readonly name: string;
  readonly bench: Pick<Bench, 'folder' | 'signal'>;
}

/** What a process has used so far. */
export interface Usage {
  readonly residentMb: number;
  readonly cpuMs: number;
}

/** A process of the bench's own, with all that it starts: ended as a whole, at the latest when this process ends. */
export class OwnProcess {
  readonly #child: ChildProcess;
  readonly #name: string;
  readonly #file: string;
  readonly #signal: AbortSignal;
  readonly #onExit = (): void => this.#kill('SIGKILL');

  constructor({ command: [program, ...args], environment = {}, name, bench }: ProcessOptions) {
    this.#name = name;
    this.#signal = bench.signal;
    this.#file = join(bench.folder, `${name}.log`);
    const output = openSync(this.#file, 'w');
    const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], ...environment };
    this.#child = spawn(program, args, { cwd: ROOT, env, detached: true, stdio: ['ignore', output, output] });
    closeSync(output);
    process.once('exit', this.#onExit);
  }

  /** All that it has written so far. */
  get output(): string {
    return readFileSync(this.#file, 'utf8');
  }

  /**
   * Looks every 10 ms until `look` gives something. Where that does not come, it is ended.
   *
   * @throws Error with the end of its output when it ends before, or the time is over
   */
  async until<Seen>(what: string, withinMs: number, look: () => Promise<Seen | undefined>): Promise<Seen> {
    const deadlineMs = performance.now() + withinMs;
    while (!this.#ended && !this.#signal.aborted && performance.now() < deadlineMs) {
      const seen = await look();
      if (seen !== undefined) return seen;
      await sleep(POLL_MS);
    }
    const why = this.#ended ? `ended before ${what}` : `gave not within ${withinMs} ms ${what}`;
    await this.stop('SIGKILL');
    this.#signal.throwIfAborted();
    throw new Error(`${this.#name} ${why}:\n${this.output.slice(-SHOWN_CHARACTERS)}`);
  }

  /** Resolves once it answers a GET with success; throws as `until` does. */
  async answers(url: string, withinMs: number): Promise<void> {
    await this.until(`an answer of ${url}`, withinMs, async () => {
      const response = await fetch(url).catch(() => undefined);
      return response?.ok || undefined;
    });
  }

  /** What it has used, without what it has started. */
  async usage(): Promise<Usage> {
    const { memory, ctime } = await pidusage(this.#child.pid ?? 0);
    return { residentMb: memory / 1e6, cpuMs: ctime };
  }

  /** Ends it with all that it has started; without mercy after 10 s. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    this.#kill(signal);
    const timer = setTimeout(() => this.#kill('SIGKILL'), STOP_MS);
    if (!this.#ended) await once(this.#child, 'exit');
    clearTimeout(timer);
    // What it started and has not ended itself
    this.#kill('SIGKILL');
    process.removeListener('exit', this.#onExit);
  }

  get #ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Signals the group that it is the first of, of which nobody may be left. */
  #kill(signal: NodeJS.Signals): void {
    try {
      if (this.#child.pid !== undefined) process.kill(-this.#child.pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

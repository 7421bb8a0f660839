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

/** Options of a process. */
export interface ProcessOptions {
  readonly command: readonly [program: string, ...args: string[]];
  /** Environment variables beside PATH and HOME, which it inherits. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Its name in messages. Its output goes into a file of this name in the bench's folder. */
  readonly name: string;
  readonly bench: Pick<Bench, 'folder' | 'signal'>;
}

/** The memory and CPU time that a process has used so far. */
export interface Usage {
  readonly residentMb: number;
  readonly cpuMs: number;
}

/** A child process of the bench with all its own children. They end together, at the latest when the bench ends. */
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

  /** All output so far. */
  get output(): string {
    return readFileSync(this.#file, 'utf8');
  }

  /**
   * Calls `look` every 10 ms until it returns a value. If the time is over before that, kills the process.
   *
   * @param what - the name of the expected value in the error
   * @throws Error with the end of the output if the process ends first, or the time is over
   */
  async until<Seen>(what: string, withinMs: number, look: () => Promise<Seen | undefined>): Promise<Seen> {
    const deadlineMs = performance.now() + withinMs;
    while (!this.#ended && !this.#signal.aborted && performance.now() < deadlineMs) {
      const seen = await look();
      if (seen !== undefined) return seen;
      await sleep(POLL_MS);
    }
    const why = this.#ended ? `ended before ${what}` : `did not give ${what} within ${withinMs} ms`;
    await this.stop('SIGKILL');
    this.#signal.throwIfAborted();
    throw new Error(`${this.#name} ${why}:\n${this.output.slice(-SHOWN_CHARACTERS)}`);
  }

  /** Resolves once a GET of `url` succeeds. @throws as `until` does */
  async answers(url: string, withinMs: number): Promise<void> {
    await this.until(`an answer of ${url}`, withinMs, async () => {
      const response = await fetch(url).catch(() => undefined);
      return response?.ok || undefined;
    });
  }

  /** The usage of the process itself, without its children. */
  async usage(): Promise<Usage> {
    const { memory, ctime } = await pidusage(this.#child.pid ?? 0);
    return { residentMb: memory / 1e6, cpuMs: ctime };
  }

  /** Stops the process and its children with a signal, and kills them after 10 s. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    this.#kill(signal);
    const timer = setTimeout(() => this.#kill('SIGKILL'), STOP_MS);
    if (!this.#ended) await once(this.#child, 'exit');
    clearTimeout(timer);
    // Children may survive it
    this.#kill('SIGKILL');
    process.removeListener('exit', this.#onExit);
  }

  get #ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Sends a signal to its process group, if that still exists. */
  #kill(signal: NodeJS.Signals): void {
    try {
      if (this.#child.pid !== undefined) process.kill(-this.#child.pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { eventually } from 'baton-dev/testing/eventually';
import { NapSink } from '../support/nap-sink.ts';
import { freePort } from 'baton-dev/testing/program';
import type { Random } from './random.ts';

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));
const FULL_DISK = '/dev/full';
const START_MS = 60_000;
/** Longer than a worker's drain, grace, and what it gives itself to settle. */
const STOP_MS = 60_000;

/** What is wrong with a worker from its start. */
export interface Handicap {
  /** More of its environment: a wrong clock, say. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Its standard output is a disk without room. */
  readonly fullDisk?: boolean;
}

/**
 * Worker processes that are harmed and replaced, under a supervisor that starts another for each that ends by itself; and
 * the sink in which each finished task leaves its id.
 */
export class Swarm {
  readonly #environment: Readonly<Record<string, string>>;
  /** By their ids. */
  readonly #workers = new Map<string, ChildProcess>();
  #added = 0;
  readonly #paused = new Set<Promise<void>>();
  #stopping = false;
  #deaths = 0;
  readonly #harmed = new Set<string>();
  readonly #everPaused = new Set<string>();
  /** What they have finished. */
  readonly sink = new NapSink();

  /** @param environment - of each worker; what it does not say is the swarm's own */
  constructor(environment: Readonly<Record<string, string>>) {
    this.#environment = environment;
  }

  /** How many workers have ended by themselves: killed by a task, or by their own watchdog. */
  get deaths(): number {
    return this.#deaths;
  }

  /** The ids of those that were killed or paused from outside. */
  get harmed(): ReadonlySet<string> {
    return this.#harmed;
  }

  /** The ids of those that were paused. */
  get everPaused(): ReadonlySet<string> {
    return this.#everPaused;
  }

  /** Starts one more worker. Resolves once it receives, or has ended. */
  async add({ environment = {}, fullDisk = false }: Handicap = {}): Promise<void> {
    const port = await freePort();
    const id = `swarm-${(this.#added += 1)}`;
    const own = {
      WORKER_ID: id,
      WORKER_LEASE_SECONDS: '5',
      WORKER_WAIT_SECONDS: '1',
      WORKER_CONCURRENCY: '20',
      WORKER_DRAIN_TIMEOUT_SECONDS: '5',
      HEALTH_PORT: String(port),
      NAP_SINK: this.sink.path,
      NAP_BEGINNER: id,
      LOG_LEVEL: 'info',
    };
    const output = openSync(fullDisk ? FULL_DISK : '/dev/null', 'w');
    const child = spawn(process.execPath, ['packages/baton/tests/support/test-worker.ts'], {
      cwd: ROOT,
      env: { PATH: process.env['PATH'], ...own, ...this.#environment, ...environment },
      stdio: ['ignore', output, 'inherit'],
    });
    closeSync(output);
    this.#workers.set(id, child);
    child.once('exit', () => this.#ended(id));
    const receives = async (): Promise<boolean> =>
      hasEnded(child) ||
      fetch(`http://127.0.0.1:${port}/health/live`).then(
        ({ ok }) => ok,
        () => false,
      );
    await eventually('a worker that has started', receives, START_MS);
  }

  /**
   * Kills a worker by chance, at once, and starts another in its place. Resolves to whether there was one to kill.
   *
   * @param spared - the ids of workers that are not to be harmed
   */
  async replaceOne(random: Random, handicap: Handicap = {}, spared?: ReadonlySet<string>): Promise<boolean> {
    const [id, victim] = this.#oneOf(random, spared) ?? [];
    if (id === undefined || !victim) return false;
    this.#workers.delete(id);
    this.#harmed.add(id);
    victim.kill('SIGKILL');
    await this.add(handicap);
    return true;
  }

  /** Stops a worker by chance in its tracks (SIGSTOP), and lets it go on after so long. Does not wait for that. */
  pauseOne(random: Random, ms: number, spared?: ReadonlySet<string>): boolean {
    const [id, victim] = this.#oneOf(random, spared) ?? [];
    if (id === undefined || !victim) return false;
    this.#harmed.add(id);
    this.#everPaused.add(id);
    victim.kill('SIGSTOP');
    const paused = sleep(ms).finally(() => {
      victim.kill('SIGCONT');
      this.#paused.delete(paused);
    });
    this.#paused.add(paused);
    return true;
  }

  /** Stops every worker as a deploy would. @throws Error when one does not end in its time */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#paused);
    const workers = [...this.#workers.values()];
    for (const worker of workers) worker.kill('SIGTERM');
    await eventually('every worker stopped', () => workers.every(hasEnded), STOP_MS).finally(() => {
      for (const worker of workers) worker.kill('SIGKILL');
    });
  }

  #ended(id: string): void {
    // One that was killed on purpose is no longer among them
    if (!this.#workers.delete(id) || this.#stopping) return;
    this.#deaths += 1;
    void this.add();
  }

  #oneOf(random: Random, spared?: ReadonlySet<string>): [string, ChildProcess] | undefined {
    const workers = [...this.#workers].filter(([id]) => !spared?.has(id));
    return workers[random.below(Math.max(1, workers.length))];
  }
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

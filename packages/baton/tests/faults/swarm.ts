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
/** Longer than a worker's drain, grace and settling together. */
const STOP_MS = 60_000;

/** A trouble of a worker from its start. */
export interface Handicap {
  /** More environment variables, for a wrong clock for example. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Whether its standard output is a full disk. */
  readonly fullDisk?: boolean;
}

/**
 * A group of worker processes for soaks, which kill and pause them. It starts another worker for each one that crashes.
 * Each finished task leaves its id in the sink.
 */
export class Swarm {
  readonly #environment: Readonly<Record<string, string>>;
  /** Workers by id. */
  readonly #workers = new Map<string, ChildProcess>();
  #added = 0;
  readonly #paused = new Set<Promise<void>>();
  #stopping = false;
  #deaths = 0;
  readonly #harmed = new Set<string>();
  /** The finished tasks of all workers. */
  readonly sink = new NapSink();

  /** @param environment - environment variables of each worker, beside the swarm's own */
  constructor(environment: Readonly<Record<string, string>>) {
    this.#environment = environment;
  }

  /** The number of workers that have crashed: a task or their own watchdog killed them. */
  get deaths(): number {
    return this.#deaths;
  }

  /** The ids of the workers that the soak killed or paused. */
  get harmed(): ReadonlySet<string> {
    return this.#harmed;
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
   * Kills a random worker and starts another in its place. Resolves to whether there was one to kill.
   *
   * @param spared - the ids of workers that must not be killed
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

  /** Pauses a random worker (SIGSTOP) for a time. Does not wait for the end of the pause. */
  pauseOne(random: Random, ms: number, spared?: ReadonlySet<string>): boolean {
    const [id, victim] = this.#oneOf(random, spared) ?? [];
    if (id === undefined || !victim) return false;
    this.#harmed.add(id);
    victim.kill('SIGSTOP');
    const paused = sleep(ms).finally(() => {
      victim.kill('SIGCONT');
      this.#paused.delete(paused);
    });
    this.#paused.add(paused);
    return true;
  }

  /** Stops every worker as a deploy does. @throws Error if a worker does not end in time */
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
    // A worker that the soak killed was removed before
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

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { NapSink } from '../support/nap-sink.ts';
import { freePort } from '../support/program.ts';
import type { Random } from './random.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Worker processes that are killed and replaced, and the sink in which each finished task leaves its id. */
export class Swarm {
  readonly #environment: Readonly<Record<string, string>>;
  /** By their ids. */
  readonly #workers = new Map<string, ChildProcess>();
  #added = 0;
  /** What they have finished. */
  readonly sink = new NapSink();

  /** @param environment - of each worker; what it does not say is the swarm's own */
  constructor(environment: Readonly<Record<string, string>>) {
    this.#environment = environment;
  }

  /** Starts one more worker. Resolves once it receives. */
  async add(): Promise<void> {
    const id = `swarm-${(this.#added += 1)}`;
    const own = {
      WORKER_ID: id,
      LEASE_SECONDS: '5',
      WORKER_WAIT_SECONDS: '1',
      WORKER_CONCURRENCY: '20',
      HEALTH_PORT: String(await freePort()),
      NAP_SINK: this.sink.path,
      LOG_LEVEL: 'info',
    };
    const child = spawn(process.execPath, ['tests/support/test-worker.ts'], {
      cwd: ROOT,
      env: { PATH: process.env['PATH'], ...own, ...this.#environment },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#workers.set(id, child);
    const started = Promise.withResolvers<void>();
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.includes('"worker started"')) started.resolve();
    });
    child.once('exit', () => {
      this.#workers.delete(id);
      started.resolve();
    });
    await started.promise;
  }

  /**
   * Kills a worker by chance, at once, and starts another in its place. Resolves to whether there was one to kill.
   *
   * @param spared - the ids of workers that are not to be killed
   */
  async killOne(random: Random, spared: ReadonlySet<string> = new Set()): Promise<boolean> {
    const workers = [...this.#workers].flatMap(([id, worker]) => (spared.has(id) ? [] : worker));
    const victim = workers[random.below(Math.max(1, workers.length))];
    if (!victim) return false;
    victim.kill('SIGKILL');
    await this.add();
    return true;
  }

  /** Stops every worker as a deploy would. */
  async stop(): Promise<void> {
    const exits = [...this.#workers.values()].map((worker) => {
      worker.kill('SIGTERM');
      return once(worker, 'exit');
    });
    await Promise.all(exits);
  }
}

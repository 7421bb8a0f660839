import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fstatSync, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { freePort } from '../support/program.ts';
import type { Random } from './random.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Worker processes that are killed and replaced, and the sink in which each finished task leaves its id. */
export class Swarm {
  readonly #environment: Readonly<Record<string, string>>;
  readonly #workers = new Set<ChildProcess>();
  readonly #folder = mkdtempSync(join(tmpdir(), 'baton-soak-'));
  readonly #sinkPath = join(this.#folder, 'sink');
  readonly #sink = openSync(this.#sinkPath, 'w+');
  readonly #done = new Map<string, number>();
  #readBytes = 0;

  constructor(environment: Readonly<Record<string, string>>) {
    this.#environment = environment;
  }

  /** How often each task was done, by its id, up to now. */
  get done(): ReadonlyMap<string, number> {
    const bytes = Buffer.alloc(fstatSync(this.#sink).size - this.#readBytes);
    readSync(this.#sink, bytes, 0, bytes.byteLength, this.#readBytes);
    const whole = bytes.subarray(0, bytes.lastIndexOf('\n') + 1);
    this.#readBytes += whole.byteLength;
    for (const id of whole.toString().split('\n').filter(Boolean))
      this.#done.set(id, (this.#done.get(id) ?? 0) + 1);
    return this.#done;
  }

  /** Starts one more worker. Resolves once it receives. */
  async add(): Promise<void> {
    const own = {
      LEASE_SECONDS: '5',
      WORKER_WAIT_SECONDS: '1',
      WORKER_CONCURRENCY: '20',
      HEALTH_PORT: String(await freePort()),
      NAP_SINK: this.#sinkPath,
      LOG_LEVEL: 'info',
    };
    const child = spawn(process.execPath, ['tests/support/test-worker.ts'], {
      cwd: ROOT,
      env: { PATH: process.env['PATH'], ...this.#environment, ...own },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#workers.add(child);
    const started = Promise.withResolvers<void>();
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.includes('"worker started"')) started.resolve();
    });
    child.once('exit', () => {
      this.#workers.delete(child);
      started.resolve();
    });
    await started.promise;
  }

  /** Kills a worker by chance, at once, and starts another in its place. */
  async killOne(random: Random): Promise<void> {
    const workers = [...this.#workers];
    const victim = workers[random.below(workers.length)];
    if (!victim) return;
    victim.kill('SIGKILL');
    await this.add();
  }

  /** Stops every worker as a deploy would. */
  async stop(): Promise<void> {
    const exits = [...this.#workers].map((worker) => {
      worker.kill('SIGTERM');
      return once(worker, 'exit');
    });
    await Promise.all(exits);
  }

  /** Forgets the sink. */
  clear(): void {
    closeSync(this.#sink);
    rmSync(this.#folder, { recursive: true });
  }
}

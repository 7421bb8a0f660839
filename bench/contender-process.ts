import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { CannotError, type Contender } from './contender.ts';
import { CANNOT, type Finished, type Line, type Progress, type Settings } from './protocol.ts';

const READY_MS = 60_000;
const SHOWN_ERROR_LINES = 5;
const MAX_ERROR_CHARACTERS = 20_000;

/** The process groups that run now, by the id of the first process in each. */
const running = new Set<number>();
// No process survives the bench, however it ends
process.on('exit', () => {
  for (const group of running) killGroup(group);
});

/** Options for starting a contender's program. */
export interface ContenderStart {
  readonly settings: Pick<Settings, 'role' | 'queueUrls'> & Partial<Settings>;
  /** Environment variables to reach its broker. */
  readonly environment: Readonly<Record<string, string>>;
  /** Ends the program when it aborts. */
  readonly signal: AbortSignal;
  /** Called for each `progress` line. */
  readonly onProgress?: (progress: Progress) => void;
}

/** A running program of a contender, with all the processes that it starts. */
export class ContenderProcess {
  readonly #what: string;
  readonly #child: ChildProcess;
  readonly #ready = Promise.withResolvers<void>();
  readonly #finished = Promise.withResolvers<Finished>();
  readonly #onProgress: ((progress: Progress) => void) | undefined;
  #errors = '';

  /** Starts the program. @throws the signal's reason if it has aborted */
  constructor({ name, command, environment: own }: Contender, start: ContenderStart) {
    const { settings, environment, signal, onProgress } = start;
    signal.throwIfAborted();
    const [program, ...args] = command;
    this.#what = `${name} (${settings.role} ${settings.jobs ?? 'noop'})`;
    this.#onProgress = onProgress;
    const { PATH, HOME } = process.env;
    this.#child = spawn(program, args, {
      // The program writes its logs, but they cost nothing beyond the write itself
      stdio: ['pipe', 'ignore', 'pipe', 'pipe'],
      env: { PATH, HOME, ...environment, ...own, ...variablesOf(settings) },
      // In a process group of its own, so that its children end with it
      detached: true,
    });
    this.#follow(signal);
  }

  /**
   * Resolves once the program is loaded and connected.
   *
   * @throws CannotError if its library cannot do the job
   * @throws Error if it ends before that, or takes longer than a minute
   */
  ready(): Promise<void> {
    return this.#within(this.#ready.promise, READY_MS, 'ready');
  }

  /** Tells the program to start, once it is ready. @throws as `ready` does */
  async go(): Promise<void> {
    await this.ready();
    this.#child.stdin?.write('go\n');
  }

  /** Waits for the program's `finished` line. @throws Error if it ends before that, or takes longer */
  finished(withinMs: number): Promise<Finished> {
    return this.#within(this.#finished.promise, withinMs, 'finished');
  }

  /** Kills the program and all its children. */
  async kill(): Promise<void> {
    if (this.#child.pid !== undefined) killGroup(this.#child.pid);
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'exit');
  }

  #follow(signal: AbortSignal): void {
    const { pid, stderr, stdio } = this.#child;
    if (pid !== undefined) running.add(pid);
    for (const { promise } of [this.#ready, this.#finished]) promise.catch(() => undefined);
    const onAbort = (): void => this.#fail(new Error(`${this.#what} was interrupted`));
    signal.addEventListener('abort', onAbort);
    this.#child.once('error', (error) => this.#fail(error));
    // `close`, not `exit`: only then all of its output has been read
    this.#child.once('close', (code) => {
      signal.removeEventListener('abort', onAbort);
      this.#fail(this.#ending(code));
    });
    this.#child.once('exit', () => pid !== undefined && running.delete(pid) && killGroup(pid));
    this.#child.stdin?.on('error', () => undefined);
    stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#errors = (this.#errors + text).slice(-MAX_ERROR_CHARACTERS);
    });
    createInterface({ input: stdio[3] as Readable }).on('line', (line) =>
      this.#hear(JSON.parse(line) as Line),
    );
  }

  #hear(line: Line): void {
    if (line.event === 'ready') this.#ready.resolve();
    else if (line.event === 'finished') this.#finished.resolve(line);
    else this.#onProgress?.(line);
  }

  #fail(error: Error): void {
    this.#ready.reject(error);
    this.#finished.reject(error);
  }

  #ending(code: number | null): Error {
    const lines = this.#errors.trim().split('\n').slice(-SHOWN_ERROR_LINES);
    if (code === CANNOT) return new CannotError(lines.at(-1) ?? 'cannot do it');
    const status = code === null ? 'by a signal' : `with status ${code}`;
    return new Error(`${this.#what} ended ${status}${lines[0] ? `:\n${lines.join('\n')}` : ''}`);
  }

  async #within<Seen>(seen: Promise<Seen>, withinMs: number, event: string): Promise<Seen> {
    const late = Promise.withResolvers<never>();
    const why = `${this.#what} did not say "${event}" within ${withinMs / 1000} s`;
    const timer = setTimeout(() => late.reject(new Error(why)), withinMs);
    return Promise.race([seen, late.promise]).finally(() => clearTimeout(timer));
  }
}

function killGroup(group: number): void {
  try {
    process.kill(-group, 'SIGKILL');
  } catch {
    // The whole group has ended
  }
}

function variablesOf(settings: ContenderStart['settings']): Record<string, string> {
  const { role, queueUrls, concurrency, leaseSeconds, tasks, jobs, firstId, inFlight, rate } = settings;
  const variables = {
    BENCH_ROLE: role,
    BENCH_QUEUE_URLS: queueUrls.join(','),
    BENCH_CONCURRENCY: concurrency,
    BENCH_LEASE_SECONDS: leaseSeconds,
    BENCH_TASKS: tasks,
    BENCH_JOBS: jobs,
    BENCH_FIRST_ID: firstId,
    BENCH_IN_FLIGHT: inFlight,
    BENCH_BATCH: settings.batch ? 1 : undefined,
    BENCH_RATE: rate,
    BENCH_RECORD: settings.record ? 1 : undefined,
    BENCH_PROGRESS_EVERY: settings.progressEvery,
  };
  const set = Object.entries(variables).filter(([, value]) => value !== undefined);
  return Object.fromEntries(set.map(([name, value]) => [name, String(value)]));
}

import { readFileSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

// The protocol between the bench and a contender's program. A program imports only this file, `node:` modules and its
// own library. This file must cost almost nothing, because the bench measures the library.

/** The file descriptor for a program's lines. Its standard output is for its logs. */
const LINES_FD = 3;

/** Exit code of a program that cannot do the job. One line on standard error says why. */
export const CANNOT = 64;

/** The job of a program. */
export interface Settings {
  readonly role: 'work' | 'send';
  /** URLs of existing queues, nearly always one. */
  readonly queueUrls: readonly string[];
  /** Tasks that a worker runs at the same time. */
  readonly concurrency: number;
  /** The visibility timeout of the queues. */
  readonly leaseSeconds: number;
  /** How many tasks a sender sends, or after how many tasks a worker writes `finished` (0: never). */
  readonly tasks: number;
  /** `noop`, `mixed`, `sleep:MS` or `bytes:N`. */
  readonly jobs: string;
  /** The id of the first task. Senders to the same worker use different ids. */
  readonly firstId: number;
  /** Sends in flight at the same time. 1: each send is awaited before the next. */
  readonly inFlight: number;
  /** Whether to send in tens with the library's own batch API. */
  readonly batch: boolean;
  /** Messages per second at an even pace. undefined: as fast as possible. */
  readonly rate: number | undefined;
  /** Whether a worker records the times of each task. */
  readonly record: boolean;
  /** A worker writes `progress` after each this many tasks. 0: never. */
  readonly progressEvery: number;
}

/** The payload of a task. */
export interface Job {
  /** Counted from the sender's `firstId`. */
  readonly id: number;
  /** How long its handler sleeps. 0: not at all. */
  readonly ms: number;
  /** When the sender passed it to the library. Epoch milliseconds, with fractions. */
  readonly sentAtMs: number;
  /** Padding up to the size of the job. */
  readonly pad?: string | undefined;
}

/** A task's times: how long it slept, then when it was sent, started and finished, in epoch milliseconds. */
export type TaskTimes = readonly [ms: number, sentAtMs: number, startedAtMs: number, finishedAtMs: number];

/** The program is loaded and connected, and waits for the line `go`. */
export interface Ready {
  readonly event: 'ready';
}

/** A worker has handled `progressEvery` more tasks. */
export interface Progress {
  readonly event: 'progress';
  readonly tasks: number;
  /** Mebibytes resident now. */
  readonly residentMb: number;
  readonly atMs: number;
}

/** A worker has handled all tasks, or a sender has sent them. */
export interface Finished {
  readonly event: 'finished';
  readonly tasks: number;
  readonly firstAtMs: number;
  readonly lastAtMs: number;
  readonly goAtMs: number;
  /** User and system CPU time of the process and its children since `go`. */
  readonly cpuMs: number;
  /** Peak resident memory in mebibytes. */
  readonly peakMb: number;
  /** Tasks that were handled again. Absent: not counted. */
  readonly repeats?: number;
  readonly records?: readonly TaskTimes[];
}

/** A line of a program. */
export type Line = Ready | Progress | Finished;

/** The job of this process, read from its environment. */
export const settings: Settings = readSettings(process.env);

/** Epoch milliseconds, with fractions. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

/** Ends the program because its library cannot do the job. `reason` is such as `no batch API`. */
export function cannot(reason: string): never {
  process.stderr.write(`${reason}\n`);
  process.exit(CANNOT);
}

let goAtMs = 0;
let cpuAtGo: NodeJS.CpuUsage | undefined;

/** Writes `ready`, and resolves when the bench says `go`. Ends the process when the bench ends. */
export async function ready(): Promise<void> {
  write({ event: 'ready' });
  const input = createInterface({ input: process.stdin });
  input.once('close', () => process.exit(0));
  await new Promise<void>((resolve) => {
    input.on('line', (line) => line === 'go' && resolve());
  });
  goAtMs = nowMs();
  cpuAtGo = process.cpuUsage();
}

/** Generates the tasks to send. Each gets its time stamp when it is taken. */
export function* jobs({ tasks, firstId, jobs: kind }: Settings): Generator<Job> {
  const [name = '', size = '0'] = kind.split(':');
  // The other members of the payload take about 70 bytes
  const pad = name === 'bytes' ? { pad: 'x'.repeat(Math.max(0, Number(size) - 70)) } : {};
  const constantMs = name === 'sleep' ? Number(size) : 0;
  for (let id = firstId; id < firstId + tasks; id++) {
    const ms = name === 'mixed' ? mixedMs(id) : constantMs;
    yield { id, ms, sentAtMs: nowMs(), ...pad };
  }
}

/** How long a task of `mixed` takes: one in ten takes a second, the others 5 ms. */
export function mixedMs(id: number): number {
  return id % 10 === 0 ? 1000 : 5;
}

const NOTHING = Promise.resolve();

/** The work of a worker's handler, the same for all contenders. */
export class Work {
  readonly #settings: Settings;
  readonly #records: TaskTimes[] = [];
  /** 1 for each id that was handled. */
  #handledById = new Uint8Array(1024);
  #handled = 0;
  #repeats = 0;
  #firstAtMs = 0;
  /** The number of handled tasks at which the next line is due. */
  #nextLineAt: number;

  constructor(of: Settings) {
    this.#settings = of;
    this.#nextLineAt = this.#lineAfter(0);
  }

  /** Runs a task: sleeps as long as it says, counts it, and writes a line if one is due. */
  run(job: Job): Promise<void> {
    if (job.ms > 0) return this.#sleep(job);
    this.done(job, this.#settings.record || this.#handled === 0 ? nowMs() : 0);
    return NOTHING;
  }

  /** Counts a handled task, and writes a line if one is due. `run` calls it. */
  done(job: Job, startedAtMs: number): void {
    if (this.#handled === 0) this.#firstAtMs = startedAtMs;
    this.#handled++;
    if (job.id >= this.#handledById.length) this.#grow(job.id);
    if ((this.#handledById[job.id] ?? 0) > 0) this.#repeats++;
    this.#handledById[job.id] = 1;
    if (this.#settings.record) this.#records.push([job.ms, job.sentAtMs, startedAtMs, nowMs()]);
    if (this.#handled === this.#nextLineAt) this.#writeLine();
  }

  async #sleep(job: Job): Promise<void> {
    const startedAtMs = nowMs();
    if (this.#firstAtMs === 0) this.#firstAtMs = startedAtMs;
    await sleep(job.ms);
    this.done(job, this.#handled === 0 ? this.#firstAtMs : startedAtMs);
  }

  #grow(id: number): void {
    const larger = new Uint8Array(2 ** Math.ceil(Math.log2(id + 2)));
    larger.set(this.#handledById);
    this.#handledById = larger;
  }

  #lineAfter(handled: number): number {
    const { tasks, progressEvery } = this.#settings;
    const progressAt =
      progressEvery > 0 ? (Math.floor(handled / progressEvery) + 1) * progressEvery : Infinity;
    return Math.min(tasks > handled ? tasks : Infinity, progressAt);
  }

  #writeLine(): void {
    const { tasks, progressEvery, record } = this.#settings;
    const atMs = nowMs();
    if (progressEvery > 0 && this.#handled % progressEvery === 0) {
      const residentMb = process.memoryUsage.rss() / 2 ** 20;
      write({ event: 'progress', tasks: this.#handled, residentMb, atMs });
    }
    if (this.#handled === tasks) {
      const records = record ? { records: this.#records } : {};
      writeFinished({
        tasks,
        firstAtMs: this.#firstAtMs,
        lastAtMs: atMs,
        repeats: this.#repeats,
        ...records,
      });
    }
    this.#nextLineAt = this.#lineAfter(this.#handled);
  }
}

/**
 * Sends all tasks, `inFlight` at a time or at `rate`, and writes `finished` once the broker has all of them.
 *
 * @param send - sends one task
 * @param sendTen - sends up to ten tasks with the library's own batch API. Default: the library has none
 * @throws the error of a failed send
 */
export async function sendAll(
  of: Settings,
  send: (job: Job) => Promise<unknown>,
  sendTen?: (jobs: Job[]) => Promise<unknown>,
): Promise<void> {
  if (of.batch && !sendTen) cannot('no batch API');
  const firstAtMs = nowMs();
  const all = jobs(of);
  if (of.rate !== undefined) await sendAtPace(of, all, send);
  else {
    const lane = (): Promise<void> => (of.batch && sendTen ? sendTens(all, sendTen) : sendEach(all, send));
    await Promise.all(Array.from({ length: of.inFlight }, lane));
  }
  writeFinished({ tasks: of.tasks, firstAtMs, lastAtMs: nowMs() });
}

async function sendEach(all: Generator<Job>, send: (job: Job) => Promise<unknown>): Promise<void> {
  for (let next = all.next(); !next.done; next = all.next()) await send(next.value);
}

async function sendTens(all: Generator<Job>, sendTen: (jobs: Job[]) => Promise<unknown>): Promise<void> {
  for (;;) {
    const ten = take(all, 10);
    if (ten.length === 0) return;
    await sendTen(ten);
  }
}

function take(all: Generator<Job>, count: number): Job[] {
  const taken: Job[] = [];
  while (taken.length < count) {
    const next = all.next();
    if (next.done) break;
    taken.push(next.value);
  }
  return taken;
}

async function sendAtPace(
  of: Settings,
  all: Generator<Job>,
  send: (job: Job) => Promise<unknown>,
): Promise<void> {
  const perMs = (of.rate ?? 0) / 1000;
  const startAtMs = performance.now();
  const underWay: Promise<unknown>[] = [];
  while (underWay.length < of.tasks) {
    const due = Math.min(of.tasks, Math.floor((performance.now() - startAtMs) * perMs) + 1);
    underWay.push(...take(all, due - underWay.length).map(send));
    await sleep(1);
  }
  await Promise.all(underWay);
}

function writeFinished(line: Omit<Finished, 'event' | 'goAtMs' | 'cpuMs' | 'peakMb'>): void {
  const { user, system } = process.cpuUsage(cpuAtGo);
  write({ event: 'finished', goAtMs, cpuMs: (user + system) / 1000, peakMb: peakMb(), ...line });
}

/** The peak memory of this process, from the kernel. `maxRSS` would include the peak of the parent process. */
function peakMb(): number {
  try {
    const kib = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    if (kib !== undefined) return Number(kib) / 1024;
  } catch {
    // Not on Linux
  }
  return process.resourceUsage().maxRSS / 1024;
}

function write(line: Line): void {
  const bytes = Buffer.from(`${JSON.stringify(line)}\n`);
  for (let offset = 0; offset < bytes.length;) offset += writeSync(LINES_FD, bytes, offset);
}

function readSettings(env: NodeJS.ProcessEnv): Settings {
  const number = (name: string, otherwise: number): number => Number(env[name] ?? otherwise);
  return {
    role: env['BENCH_ROLE'] === 'send' ? 'send' : 'work',
    queueUrls: (env['BENCH_QUEUE_URLS'] ?? '').split(',').filter((url) => url !== ''),
    concurrency: number('BENCH_CONCURRENCY', 10),
    leaseSeconds: number('BENCH_LEASE_SECONDS', 30),
    tasks: number('BENCH_TASKS', 0),
    jobs: env['BENCH_JOBS'] ?? 'noop',
    firstId: number('BENCH_FIRST_ID', 0),
    inFlight: number('BENCH_IN_FLIGHT', 1),
    batch: env['BENCH_BATCH'] === '1',
    rate: env['BENCH_RATE'] === undefined ? undefined : Number(env['BENCH_RATE']),
    record: env['BENCH_RECORD'] === '1',
    progressEvery: number('BENCH_PROGRESS_EVERY', 0),
  };
}

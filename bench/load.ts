import { eventually } from 'baton-dev/testing/eventually';
import type { Broker } from './brokers/broker.ts';
import type { Bench } from './bench.ts';
import type { Contender } from './contender.ts';
import { ContenderProcess, type ContenderStart } from './contender-process.ts';
import { rawLoop } from './contenders/contenders.ts';
import type { Finished, Settings } from './protocol.ts';

const LEASE_SECONDS = 120;
const EMPTY_MS = 20_000;
/** A program gets a minute, and more time for each task: the slowest contender does 84 tasks per second. */
const LIMIT_MS = 60_000;
const LIMIT_TASK_MS = 15;
const MAX_LIMIT_MS = 1_200_000;

/** Tasks that one contender sends and handles on one broker. */
export interface Load {
  readonly contender: Contender;
  readonly broker: Broker;
  readonly tasks: number;
  /** Default `noop`. */
  readonly jobs?: string;
}

/** Settings of a worker's program. */
export type WorkerSettings = Pick<Settings, 'concurrency'> &
  Partial<Pick<Settings, 'record' | 'progressEvery'>> &
  Pick<ContenderStart, 'onProgress'>;

/** The report of a worker that has drained a queue. The queue is deleted by then. */
export interface Drained extends Finished {
  readonly queueUrl: string;
  /** The report of the sender that filled the queue. */
  readonly sent: Finished;
}

/** Creates a queue, passes it to `use`, and deletes it afterwards, even if `use` fails. */
export async function withQueue<Given>(
  broker: Broker,
  use: (queueUrl: string) => Promise<Given>,
  leaseSeconds: number = LEASE_SECONDS,
): Promise<Given> {
  const queueUrl = await broker.createQueue(leaseSeconds);
  try {
    return await use(queueUrl);
  } finally {
    await broker.deleteQueue(queueUrl);
  }
}

/** Starts a contender's worker, passes it to `use` while it still loads, and kills it afterwards in any case. */
export async function withWorker<Given>(
  { contender, broker, signal }: Pick<Load, 'contender' | 'broker'> & Pick<Bench, 'signal'>,
  { onProgress, ...settings }: WorkerSettings & Pick<Settings, 'queueUrls'> & Partial<Settings>,
  use: (worker: ContenderProcess) => Promise<Given>,
): Promise<Given> {
  const worker = new ContenderProcess(contender, {
    settings: { role: 'work', leaseSeconds: LEASE_SECONDS, ...settings },
    environment: broker.environment,
    signal,
    ...(onProgress && { onProgress }),
  });
  try {
    return await use(worker);
  } finally {
    await worker.kill();
  }
}

/**
 * Fills a queue, has a worker drain it, and returns the worker's report.
 *
 * @throws Error if a task was handled twice, or if the queue is not empty in the end
 */
export async function drain(bench: Bench, load: Load, settings: WorkerSettings): Promise<Drained> {
  const { contender, broker, tasks } = load;
  return withQueue(broker, (queueUrl) => {
    const all = { ...settings, queueUrls: [queueUrl], tasks };
    return withWorker({ contender, broker, signal: bench.signal }, all, async (worker) => {
      const sent = await fill(bench, load, queueUrl);
      await worker.go();
      const finished = await worker.finished(limitMs(tasks));
      await allHandledOnce(load, queueUrl, finished);
      return { ...finished, queueUrl, sent };
    });
  });
}

/**
 * Sends tasks at an even rate while a worker runs, and returns the worker's report.
 *
 * @param rate - messages per second
 * @throws Error if a task was handled twice, or if the queue is not empty in the end
 */
export async function workWhileSent(
  bench: Bench,
  load: Load & { readonly rate: number },
  settings: WorkerSettings,
): Promise<Finished> {
  const { contender, broker, tasks, rate } = load;
  return withQueue(broker, (queueUrl) => {
    const queueUrls = [queueUrl];
    return withWorker(
      { contender, broker, signal: bench.signal },
      { ...settings, queueUrls, tasks },
      async (worker) => {
        await worker.go();
        await send(bench, load, { queueUrls, rate });
        const finished = await worker.finished(limitMs(tasks));
        await allHandledOnce(load, queueUrl, finished);
        return finished;
      },
    );
  });
}

/** Waits until a queue is empty. @throws Error if it does not become empty, or if a task was handled twice */
export async function allHandledOnce(
  { broker, tasks }: Pick<Load, 'broker' | 'tasks'>,
  queueUrl: string,
  { tasks: handled, repeats = 0 }: Pick<Finished, 'tasks' | 'repeats'>,
): Promise<void> {
  if (handled !== tasks) throw new Error(`${handled} of ${tasks} tasks were handled`);
  if (repeats > 0) throw new Error(`${repeats} of ${tasks} tasks were handled more than once`);
  await eventually('the queue is empty', async () => (await broker.messagesIn(queueUrl)) === 0, EMPTY_MS);
}

/** The number of tasks for a contender: its share of those that other contenders get. */
export function tasksFor({ share = 1 }: Contender, tasks: number): number {
  return Math.ceil(tasks * share);
}

/** The contender with its best settings for tasks that take unequal times. */
export function atUnequal(contender: Contender): Contender {
  return { ...contender, environment: { ...contender.environment, ...contender.unequal } };
}

/** Time limit for a program that handles or sends this many no-op tasks, in milliseconds. */
export function limitMs(tasks: number): number {
  return Math.min(MAX_LIMIT_MS, LIMIT_MS + tasks * LIMIT_TASK_MS);
}

/** Jobs so large that ten of them exceed the size limit of an SQS request. */
const LARGE_JOBS = /^bytes:\d{6,}$/;

/** Fills a queue as fast as possible: with the contender's own sender, or with the AWS SDK if it has none. */
export async function fill(bench: Bench, load: Load, queueUrl: string): Promise<Finished> {
  const { contender, broker, tasks, jobs = 'noop' } = load;
  const inTens = contender.sends !== 'ones' && !LARGE_JOBS.test(jobs);
  const how = inTens ? { batch: true, inFlight: 10 } : { inFlight: 100 };
  const sent = await send(bench, load, { queueUrls: [queueUrl], ...how });
  const holdsAll = async (): Promise<boolean> => (await broker.messagesIn(queueUrl)) === tasks;
  await eventually(`the queue holds ${tasks} messages`, holdsAll);
  return sent;
}

/** Has a contender's sender send all tasks, and returns its report. */
export async function send(
  { signal }: Pick<Bench, 'signal'>,
  { contender, broker, tasks, jobs = 'noop' }: Load,
  settings: Pick<Settings, 'queueUrls'> & Partial<Settings>,
): Promise<Finished> {
  const sender = new ContenderProcess(contender.sends === 'nothing' ? rawLoop : contender, {
    settings: { role: 'send', tasks, jobs, ...settings },
    environment: broker.environment,
    signal,
  });
  try {
    await sender.go();
    const paceMs = settings.rate === undefined ? 0 : (tasks / settings.rate) * 1000;
    return await sender.finished(limitMs(tasks) + paceMs);
  } finally {
    await sender.kill();
  }
}

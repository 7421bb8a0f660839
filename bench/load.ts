import { eventually } from '@baton/tests/eventually';
import type { Broker } from './brokers/broker.ts';
import type { Bench } from './bench.ts';
import { CannotError, type Contender } from './contender.ts';
import { ContenderProcess, type ContenderStart } from './contender-process.ts';
import type { Finished, Settings } from './protocol.ts';

const LEASE_SECONDS = 120;
const EMPTY_MS = 20_000;
/** A program gets a minute, and so much more for each task: the slowest does 84 a second by its defaults. */
const LIMIT_MS = 60_000;
const LIMIT_TASK_MS = 15;

/** Tasks that a contender sends and works off, on one broker. */
export interface Load {
  readonly contender: Contender;
  readonly broker: Broker;
  readonly tasks: number;
  /** Default `noop`. */
  readonly jobs?: string;
}

/** How the worker is started. */
export type WorkerSettings = Pick<Settings, 'concurrency'> &
  Partial<Pick<Settings, 'record' | 'progressEvery'>> &
  Pick<ContenderStart, 'onProgress'>;

/** Makes a queue, and deletes it when it has been used, however that ended. */
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

/** Starts a worker of a contender, and ends it when it has been used, however that ended. */
export async function withWorker<Given>(
  { contender, broker, signal }: Pick<Load, 'contender' | 'broker'> & Pick<Bench, 'signal'>,
  { onProgress, ...settings }: WorkerSettings & Pick<Settings, 'queueUrls'> & Partial<Settings>,
  use: (worker: ContenderProcess) => Promise<Given>,
): Promise<Given> {
  const worker = await ContenderProcess.start(contender, {
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
 * What a worker says that has worked off a queue which was filled beforehand.
 *
 * @throws Error where a task was handled twice, or something is left in the queue
 */
export async function drain(bench: Bench, load: Load, settings: WorkerSettings): Promise<Finished> {
  const { contender, broker, tasks } = load;
  return withQueue(broker, (queueUrl) =>
    withWorker(
      { contender, broker, signal: bench.signal },
      { ...settings, queueUrls: [queueUrl], tasks },
      (worker) => drainWith(worker, bench, load, queueUrl),
    ),
  );
}

async function drainWith(
  worker: ContenderProcess,
  bench: Bench,
  load: Load,
  queueUrl: string,
): Promise<Finished> {
  await fill(bench, load, queueUrl);
  worker.go();
  const finished = await worker.finished(limitMs(load.tasks));
  await allHandledOnce(load, queueUrl, finished);
  return finished;
}

/** Waits until a queue is empty. @throws Error where it stays otherwise, or a task was handled twice */
export async function allHandledOnce(
  { broker, tasks }: Pick<Load, 'broker' | 'tasks'>,
  queueUrl: string,
  { tasks: handled, repeats = 0 }: Pick<Finished, 'tasks' | 'repeats'>,
): Promise<void> {
  if (handled !== tasks) throw new Error(`${handled} of ${tasks} tasks were handled`);
  if (repeats > 0) throw new Error(`${repeats} of ${tasks} tasks were handled more than once`);
  await eventually('the queue is empty', async () => (await broker.messagesIn(queueUrl)) === 0, EMPTY_MS);
}

/** How long a program may take for so many tasks that take no time. */
export function limitMs(tasks: number): number {
  return LIMIT_MS + tasks * LIMIT_TASK_MS;
}

/** Those who have no batch API. */
const oneByOne = new Set<string>();

/** Has a contender's own sender fill a queue, as fast as it can. */
export async function fill(bench: Bench, load: Load, queueUrl: string): Promise<void> {
  const { contender, broker, tasks } = load;
  const sendAll = (how: Partial<Settings>) => send(bench, load, { queueUrls: [queueUrl], ...how });
  const each = (): Promise<Finished> => sendAll({ inFlight: 100 });
  if (oneByOne.has(contender.name)) await each();
  else {
    await sendAll({ batch: true, inFlight: 10 }).catch((error: unknown) => {
      if (!(error instanceof CannotError)) throw error;
      oneByOne.add(contender.name);
      return each();
    });
  }
  await eventually(
    `the queue holds ${tasks} messages`,
    async () => (await broker.messagesIn(queueUrl)) === tasks,
  );
}

/** What a contender's sender says that has sent all tasks. */
export async function send(
  { signal }: Pick<Bench, 'signal'>,
  { contender, broker, tasks, jobs = 'noop' }: Load,
  settings: Pick<Settings, 'queueUrls'> & Partial<Settings>,
): Promise<Finished> {
  const sender = await ContenderProcess.start(contender, {
    settings: { role: 'send', tasks, jobs, ...settings },
    environment: broker.environment,
    signal,
  });
  try {
    sender.go();
    const paceMs = settings.rate === undefined ? 0 : (tasks / settings.rate) * 1000;
    return await sender.finished(limitMs(tasks) + paceMs);
  } finally {
    await sender.kill();
  }
}

import { ConfigError } from '../process/config.ts';
import type { ClockWatch } from '../time/clock-watch.ts';
import { ExclusiveRuns } from '../run/exclusive-runs.ts';
import type { Implementations } from '../task/implementation.ts';
import { queuesOfLanes } from '../task/lane.ts';
import { QueueUrls } from '../sqs/queue-urls.ts';
import type { TaskClient } from '../send/task-client.ts';
import { StoreTracker } from '../tracked/store-tracker.ts';
import type { TaskStore } from '../tracked/task-store.ts';
import { gathering } from '../telemetry/gathered-lines.ts';
import type { AttemptName } from '../run/running-attempt.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { WorkerConfig } from './config.ts';
import type { Connections } from './connections.ts';
import { lambdaExecutor } from './lambda-executor.ts';
import { OwnExecutor } from './executor.ts';
import { ServedQueue } from './served-queue.ts';
import { Slots } from './slots.ts';
import { ThreadPool } from './threads/thread-pool.ts';

/** What a worker calls itself in the envelopes of the tasks that it sends. */
export const SOURCE = 'worker';

/** What a worker serves its queues with. */
export interface Serving {
  readonly config: WorkerConfig;
  readonly implementations: Implementations;
  readonly connections: Connections;
  readonly store: TaskStore;
  readonly tasks: TaskClient;
  readonly threads: ThreadPool | undefined;
  /** The broker's time, by which messages age. */
  readonly broker: ClockWatch;
  readonly logger: Logger;
  /** Called right before a handler begins. */
  readonly onBegin?: ((attempt: AttemptName) => void) | undefined;
}

/**
 * The threads for those of a worker's tasks that want one; none where no task does.
 *
 * @throws ConfigError naming those tasks when the worker was given no entry for threads
 */
export function threadsFor(
  implementations: Implementations,
  { concurrency, queueUrlPrefix, tasksTable }: WorkerConfig,
  entry: URL | undefined,
  logger: Logger,
): ThreadPool | undefined {
  const tasks = implementations.inThreads;
  if (tasks.length === 0) return undefined;
  const sender = { queueUrlPrefix, source: SOURCE, tasksTable };
  if (entry) return new ThreadPool({ entry, threads: concurrency, sender, logger });
  throw new ConfigError(
    `The isolation of ${tasks.join(', ')} is thread, but this worker was given no entry for its threads`,
  );
}

/**
 * The queues that a worker runs itself, by name, with their weights.
 *
 * @throws ConfigError naming one that it has no implementation for
 */
export function localQueueWeights(
  { queues, lambdaQueues }: WorkerConfig,
  implementations: Implementations,
): ReadonlyMap<string, number> {
  const implemented = implementations.queues;
  if (queues === 'all') {
    const own = implemented.filter((queue) => !lambdaQueues.some((target) => target.queue === queue));
    return new Map(own.map((queue) => [queue, 1]));
  }
  const foreign = [...queues.keys()].find((queue) => !implemented.includes(queue));
  if (foreign === undefined) return queues;
  throw new ConfigError(
    `WORKER_QUEUES has ${foreign}, whose tasks this worker cannot run; it has ${implemented.join(', ')}`,
  );
}

/** The lanes of each of these queues by name, with their weights; a queue without lanes is one lane. */
export function lanesOf(
  queues: readonly string[],
  { lanes }: Implementations,
): ReadonlyMap<string, ReadonlyMap<string, number>> {
  return new Map(
    queues.map((queue) => {
      const own = lanes.get(queue);
      return [queue, own ? queuesOfLanes(queue, own) : new Map([[queue, 1]])];
    }),
  );
}

/**
 * The queues whose tasks run in the worker's own process, all within the same slots.
 *
 * @param lanes - of each queue, by their own queues' names
 */
export function serveLocal(
  serving: Serving,
  lanes: ReadonlyMap<string, ReadonlyMap<string, number>>,
  slots: Slots,
): ServedQueue[] {
  const queues = [...lanes.values()].flatMap((each) => Array.from(each.keys()));
  const { config, implementations, store, tasks, threads, broker, logger } = serving;
  const { leaseSeconds } = config;
  const processing = {
    implementations,
    threads,
    send: tasks.send,
    now: () => broker.nowMs,
    tracker: new StoreTracker({ store, forward: tasks.forward, leaseSeconds, logger }),
    logger,
    doneLogger: gathering(logger),
    worker: { id: config.workerId, version: config.version },
    unknownTaskPatienceSeconds: config.unknownTaskPatienceSeconds,
    abortGraceSeconds: config.abortGraceSeconds,
    everyReceiveIsSeen: true,
  };
  const exclusive = new ExclusiveRuns({ onClose: () => slots.pause(), onOpen: () => slots.resume() });
  return queues.map((queue) => {
    const executor = new OwnExecutor(queue, processing);
    return new ServedQueue({ ...serving, queue, executor, slots, exclusive, queues: queues.length });
  });
}

/** The queues whose messages functions run. They take no slots of local tasks: each function's concurrency bounds it. */
export function serveLambda(serving: Serving): ServedQueue[] {
  const { config, connections, logger } = serving;
  const { region, leaseSeconds, lambdaQueues } = config;
  const queueUrls = new QueueUrls(config.queueUrlPrefix);
  return lambdaQueues.map((target) => {
    const { queue, maximumConcurrency, batchSize } = target;
    const queueUrl = queueUrls.of(queue);
    const slots = new Slots(maximumConcurrency * batchSize);
    const executor = lambdaExecutor({
      lambda: connections.lambda,
      target,
      queueUrl,
      region,
      slots,
      leaseSeconds,
      logger,
    });
    return new ServedQueue({ ...serving, queue, executor, slots, queues: 1 });
  });
}

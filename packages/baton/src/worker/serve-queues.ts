// Makes a worker's served queues: those that it runs itself, and those whose messages it gives to functions.
import { ExclusiveRuns } from '../run/exclusive-runs.ts';
import { partOfHeapBytes, Room } from '../process/room.ts';
import type { AttemptName } from '../run/running-attempt.ts';
import type { TaskClient } from '../send/task-client.ts';
import { QueueUrls } from '../sqs/queue-urls.ts';
import type { Implementations } from '../task/implementation.ts';
import type { TaskContract } from '../task/task.ts';
import { bufferedLogger } from '../telemetry/buffered-logger.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { ClockWatch } from '../time/clock-watch.ts';
import { StoreTracker } from '../tracked/store-tracker.ts';
import type { TaskStore } from '../tracked/task-store.ts';
import type { WorkerConfig } from './config.ts';
import type { Connections } from './connections.ts';
import { OwnExecutor } from './executor.ts';
import { LambdaExecutor } from './lambda-executor.ts';
import { ServedQueue } from './served-queue.ts';
import { Slots } from './slots.ts';
import type { ThreadPool } from './threads/thread-pool.ts';

/** The parts of a worker that all its queues use. */
export interface WorkerParts {
  readonly config: WorkerConfig;
  readonly implementations: Implementations;
  /** Every contract that its tasks may lead to. */
  readonly contracts: readonly TaskContract[];
  readonly connections: Connections;
  readonly store: TaskStore;
  readonly tasks: TaskClient;
  readonly threads: ThreadPool | undefined;
  /** Gives SQS's time, which the age of messages is measured with. */
  readonly broker: ClockWatch;
  /** Limits the bytes of the messages that all queues hold. */
  readonly messages: Room;
  readonly logger: Logger;
  /** Called right before a handler starts. */
  readonly onBegin?: ((attempt: AttemptName) => void) | undefined;
}

/**
 * Serves the queues whose tasks run in the worker's own process. They share its slots.
 *
 * @param lanes - the lanes of each queue with their weights, by the names of their queues
 */
export function serveOwnQueues(
  parts: WorkerParts,
  lanes: ReadonlyMap<string, ReadonlyMap<string, number>>,
  slots: Slots,
): ServedQueue[] {
  const queues = [...lanes.values()].flatMap((each) => Array.from(each.keys()));
  const { config, implementations, contracts, store, tasks, threads, broker, logger } = parts;
  const { leaseSeconds } = config;
  const processing = {
    implementations,
    threads,
    signatures: store.signatures,
    send: tasks.send,
    now: () => broker.nowMs,
    tracker: new StoreTracker({ store, forward: tasks.forward, contracts, leaseSeconds, logger }),
    logger,
    doneLogger: bufferedLogger(logger),
    worker: { id: config.workerId, version: config.version },
    unknownTaskPatienceSeconds: config.unknownTaskPatienceSeconds,
    abortGraceSeconds: config.abortGraceSeconds,
    everyReceiveIsSeen: true,
  };
  // Each queue has a part of its own: one whose payloads need much memory for long must not keep the others waiting
  const partBytes = Math.floor(partOfHeapBytes() / queues.length);
  const exclusive = new ExclusiveRuns({ onClose: () => slots.pause(), onOpen: () => slots.resume() });
  return queues.map((queue) => {
    const executor = new OwnExecutor(queue, { ...processing, payloads: new Room(partBytes) });
    return new ServedQueue({ ...parts, queue, executor, slots, exclusive, queues: queues.length });
  });
}

/** Serves the queues whose messages functions run. They use no slots of the worker: each function has its own concurrency. */
export function serveLambdaQueues(parts: WorkerParts): ServedQueue[] {
  const { config, connections, logger } = parts;
  const { region, leaseSeconds, lambdaQueues } = config;
  const { lambda } = connections;
  const queueUrls = new QueueUrls(config.queueUrlPrefix);
  return lambdaQueues.map((target) => {
    const { queue, maximumConcurrency, batchSize } = target;
    const queueUrl = queueUrls.of(queue);
    const slots = new Slots(maximumConcurrency * batchSize);
    const executor = new LambdaExecutor({ lambda, target, queueUrl, region, slots, leaseSeconds, logger });
    return new ServedQueue({ ...parts, queue, executor, slots, queues: 1 });
  });
}

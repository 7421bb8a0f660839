import { LambdaClient } from '@aws-sdk/client-lambda';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { ConfigError } from '@baton/common/config';
import type { Implementations } from '@baton/common/queue/implementation';
import { QueueUrls } from '@baton/common/queue/queue-urls';
import { Settler } from '@baton/common/queue/settler';
import { createSqsClient } from '@baton/common/queue/sqs-client';
import { TaskClient } from '@baton/common/queue/task-client';
import type { Logger } from '@baton/common/telemetry/logger';
import type { WorkerConfig } from './config.ts';
import type { Executor } from './executor.ts';
import { lambdaExecutor } from './lambda-executor.ts';
import { localExecutor } from './local-executor.ts';
import { QueueRunner } from './queue-runner.ts';
import { Receiver } from './receiver.ts';
import { Slots } from './slots.ts';

const SOURCE = 'worker';
const REQUEST_MARGIN_MS = 5000;

/** A queue that a worker serves, from receive to settling. */
interface ServedQueue {
  readonly executor: Executor['kind'];
  readonly receiver: Receiver;
  readonly runner: QueueRunner;
}

/** A long-running worker: runs the messages of its queues within its slots, until it is stopped. */
export class Worker {
  readonly #config: WorkerConfig;
  readonly #logger: Logger;
  readonly #slots: Slots;
  readonly #receiving: SQSClient;
  readonly #settling: SQSClient;
  readonly #lambda = new LambdaClient({ maxAttempts: 1 });
  readonly #queues: readonly ServedQueue[];
  #stopped: Promise<void> | undefined;

  /** @throws ConfigError when it is to serve a queue that it has no implementation for */
  constructor(config: WorkerConfig, implementations: Implementations, logger: Logger) {
    this.#config = config;
    this.#logger = logger.child({ worker: config.workerId });
    this.#slots = new Slots(config.concurrency);
    // Polls have a client of their own: they hold connections for as long as they wait
    this.#receiving = createSqsClient({
      requestTimeoutMs: config.waitSeconds * 1000 + REQUEST_MARGIN_MS,
      attempts: 1,
    });
    this.#settling = createSqsClient();
    this.#queues = this.#serve(implementations);
  }

  /** Starts receiving. */
  start(): void {
    for (const { receiver } of this.#queues) receiver.start();
    const queues = this.#queues.map(({ receiver, executor }) => `${receiver.state.queue} (${executor})`);
    this.#logger.info({ queues, slots: this.#slots.total }, 'worker started');
  }

  /**
   * Stops: no new receives; running tasks have the drain time to finish, then their signals abort and they are
   * released. Resolves once nothing is held. Each call gives the same promise.
   */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  /** What the worker does at this moment. */
  get state() {
    return {
      worker: this.#config.workerId,
      version: this.#config.version,
      slots: { total: this.#slots.total, free: this.#slots.free },
      queues: this.#queues.map(({ receiver, runner, executor }) => ({
        ...receiver.state,
        executor,
        held: runner.held,
      })),
    };
  }

  /** Resolves when every queue can be received from; rejects naming those that cannot. */
  async ready(): Promise<void> {
    const troubled = this.state.queues.filter(({ receiving }) => !receiving).map(({ queue }) => queue);
    if (this.#stopped) throw new Error('The worker is stopping');
    if (troubled.length > 0) throw new Error(`Nothing is received from ${troubled.join(', ')}`);
  }

  async #stop(): Promise<void> {
    this.#logger.info({ held: this.#held }, 'worker stopping');
    for (const { runner } of this.#queues) runner.stopStarting();
    const drainTimer = setTimeout(() => this.#abort(), this.#config.drainTimeoutSeconds * 1000);
    await Promise.all(this.#queues.map(({ receiver }) => receiver.stop()));
    await Promise.all(this.#queues.map(({ runner }) => runner.whenIdle()));
    clearTimeout(drainTimer);
    this.#receiving.destroy();
    this.#settling.destroy();
    this.#lambda.destroy();
    this.#logger.info('worker stopped');
  }

  get #held(): number {
    return this.#queues.reduce((sum, { runner }) => sum + runner.held, 0);
  }

  #abort(): void {
    this.#logger.warn({ held: this.#held }, 'drain time is over; what still runs is released');
    for (const { runner } of this.#queues) runner.abort();
  }

  #serve(implementations: Implementations): ServedQueue[] {
    const config = this.#config;
    const queueUrls = new QueueUrls(config.queueUrlPrefix);
    const tasks = new TaskClient({ sqs: this.#settling, queueUrls, source: SOURCE });
    const processing = {
      implementations,
      send: tasks.send,
      logger: this.#logger,
      worker: { id: config.workerId, version: config.version },
      unknownTaskPatienceSeconds: config.unknownTaskPatienceSeconds,
    };
    const localQueues = localQueuesOf(config, implementations.queues);
    return [
      ...localQueues.map((queue) => this.#serveQueue(queue, queueUrls, localExecutor(queue, processing))),
      ...config.lambdaQueues.map((target) => {
        const queueUrl = queueUrls.of(target.queue);
        const executor = lambdaExecutor({
          lambda: this.#lambda,
          target,
          queueUrl,
          region: config.region,
          logger: this.#logger,
        });
        return this.#serveQueue(target.queue, queueUrls, executor);
      }),
    ];
  }

  #serveQueue(queue: string, queueUrls: QueueUrls, executor: Executor): ServedQueue {
    const { leaseSeconds, waitSeconds, workerId } = this.#config;
    const logger = this.#logger.child({ queue });
    const settler = new Settler(this.#settling, queueUrls, queue);
    const runner = new QueueRunner({ slots: this.#slots, executor, settler, leaseSeconds, workerId, logger });
    const receiver = new Receiver({
      sqs: this.#receiving,
      queue,
      queueUrl: queueUrls.of(queue),
      slots: this.#slots,
      waitSeconds,
      leaseSeconds,
      logger,
      accept: (messages, receivedAtMs) => runner.accept(messages, receivedAtMs),
    });
    return { executor: executor.kind, receiver, runner };
  }
}

/** The queues that the worker runs itself. @throws ConfigError naming one that it has no implementation for */
function localQueuesOf(
  { queues, lambdaQueues }: WorkerConfig,
  implemented: readonly string[],
): readonly string[] {
  if (queues === 'all')
    return implemented.filter((queue) => !lambdaQueues.some((target) => target.queue === queue));
  const foreign = queues.find((queue) => !implemented.includes(queue));
  if (foreign === undefined) return queues;
  throw new ConfigError(
    `WORKER_QUEUES has ${foreign}, whose tasks this worker cannot run; it has ${implemented.join(', ')}`,
  );
}

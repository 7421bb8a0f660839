import { setTimeout as sleep } from 'node:timers/promises';
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
import type { RunningTask } from './running-task.ts';
import { Slots } from './slots.ts';
import { Watchdog } from './watchdog.ts';

const SOURCE = 'worker';
const REQUEST_MARGIN_MS = 5000;
/** A function may take 15 minutes (AWS: "Lambda quotas"). */
const LAMBDA_TIMEOUTS = { connectionTimeout: 1000, requestTimeout: 905_000, throwOnRequestTimeout: true };
/** For releasing what was aborted. */
const RELEASE_MS = 5000;
const MAX_DESCRIBED = 100;

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
  readonly #settling = createSqsClient();
  readonly #lambda = new LambdaClient({ maxAttempts: 1, requestHandler: LAMBDA_TIMEOUTS });
  readonly #queues: readonly ServedQueue[];
  readonly #watchdog: Watchdog;
  readonly #hurry = Promise.withResolvers<void>();
  #stopped: Promise<void> | undefined;

  /** @throws ConfigError when it is to serve a queue that it has no implementation for */
  constructor(config: WorkerConfig, implementations: Implementations, logger: Logger) {
    this.#config = config;
    this.#logger = logger.child({ worker: config.workerId });
    const weights = weightsOf(config, implementations.queues);
    this.#slots = new Slots(config.concurrency, weights);
    // Polls have a client of their own: they hold connections for as long as they wait, and back off by themselves
    const requestTimeoutMs = config.waitSeconds * 1000 + REQUEST_MARGIN_MS;
    this.#receiving = createSqsClient({ requestTimeoutMs, attempts: 1 });
    this.#queues = [...this.#serveLocal([...weights.keys()], implementations), ...this.#serveLambda()];
    this.#watchdog = new Watchdog(config.leaseSeconds, () => this.#running, this.#logger);
  }

  /** Starts receiving. */
  start(): void {
    this.#watchdog.start();
    for (const { receiver } of this.#queues) receiver.start();
    const queues = this.#queues.map(({ receiver, executor }) => `${receiver.state.queue} (${executor})`);
    this.#logger.info({ queues, slots: this.#slots.total }, 'worker started');
  }

  /**
   * Stops: no new receives; running tasks have the drain time to finish; then their signals abort, and after the grace
   * what is left is released. Resolves once nothing is held. A second call does not wait for the drain time.
   */
  stop(): Promise<void> {
    if (this.#stopped) this.#hurry.resolve();
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  /** What the worker does at this moment. */
  get state() {
    return {
      worker: this.#config.workerId,
      version: this.#config.version,
      stopping: this.#stopped !== undefined,
      slots: { total: this.#slots.total, free: this.#slots.free },
      queues: this.#queues.map(({ receiver, runner, executor }) => ({
        ...receiver.state,
        executor,
        held: runner.held,
        running: runner.running.slice(0, MAX_DESCRIBED).map((task) => task.describe()),
      })),
    };
  }

  /** Resolves when every queue can be received from; rejects naming those that cannot. */
  async ready(): Promise<void> {
    const troubled = this.state.queues.filter(({ receiving }) => !receiving).map(({ queue }) => queue);
    if (this.#stopped) throw new Error('The worker is stopping');
    if (troubled.length > 0) throw new Error(`Nothing is received from ${troubled.join(', ')}`);
  }

  /** Rejects when every slot is held by a handler that heeds no signal: only a new process can help. */
  async live(): Promise<void> {
    const overdue = this.#running.filter((task) => task.overdue).length;
    if (overdue >= this.#slots.total)
      throw new Error(`All ${overdue} slots are held by handlers that heed no signal`);
  }

  async #stop(): Promise<void> {
    const { drainTimeoutSeconds } = this.#config;
    this.#logger.info({ held: this.#held }, 'worker stopping');
    for (const { runner } of this.#queues) runner.stopStarting();
    const idle = this.#whenIdle();
    const drained = await before(idle, drainTimeoutSeconds * 1000, this.#hurry.promise);
    if (!drained) await this.#abort(idle);
    this.#watchdog.stop();
    for (const client of [this.#receiving, this.#settling, this.#lambda]) client.destroy();
    this.#logger.info({ held: this.#held }, 'worker stopped');
  }

  /** Polls end by themselves within their wait: one that is cut short may strand a message until its lease ends. */
  async #whenIdle(): Promise<void> {
    await Promise.all(this.#queues.map(({ receiver }) => receiver.stop()));
    await Promise.all(this.#queues.map(({ runner }) => runner.whenIdle()));
  }

  async #abort(idle: Promise<void>): Promise<void> {
    const { abortGraceSeconds, waitSeconds } = this.#config;
    this.#logger.warn({ held: this.#held }, 'no more time for what still runs: it is aborted and released');
    for (const { runner } of this.#queues) runner.abort();
    const limitMs = Math.max(abortGraceSeconds, waitSeconds) * 1000 + RELEASE_MS;
    if (await before(idle, limitMs)) return;
    for (const { receiver } of this.#queues) receiver.abort();
    this.#logger.error(
      { held: this.#held },
      'what is held could not be released; it comes back when its lease ends',
    );
  }

  get #held(): number {
    return this.#queues.reduce((sum, { runner }) => sum + runner.held, 0);
  }

  get #running(): RunningTask[] {
    return this.#queues
      .filter(({ executor }) => executor === 'local')
      .flatMap(({ runner }) => runner.running);
  }

  #serveLocal(queues: readonly string[], implementations: Implementations): ServedQueue[] {
    const { workerId, version, unknownTaskPatienceSeconds, abortGraceSeconds } = this.#config;
    const processing = {
      implementations,
      send: new TaskClient({ sqs: this.#settling, queueUrls: this.#queueUrls, source: SOURCE }).send,
      logger: this.#logger,
      worker: { id: workerId, version },
      unknownTaskPatienceSeconds,
      abortGraceSeconds,
    };
    return queues.map((queue) =>
      this.#serve(queue, localExecutor(queue, processing), this.#slots, queues.length),
    );
  }

  /** A function's messages take no slots of the tasks that run here: what bounds them is the function's concurrency. */
  #serveLambda(): ServedQueue[] {
    const { region, leaseSeconds, lambdaQueues } = this.#config;
    return lambdaQueues.map((target) => {
      const queueUrl = this.#queueUrls.of(target.queue);
      const logger = this.#logger;
      const executor = lambdaExecutor({
        lambda: this.#lambda,
        target,
        queueUrl,
        region,
        leaseSeconds,
        logger,
      });
      return this.#serve(target.queue, executor, new Slots(target.maximumConcurrency * target.batchSize), 1);
    });
  }

  #serve(queue: string, executor: Executor, slots: Slots, queues: number): ServedQueue {
    const { leaseSeconds, waitSeconds, workerId } = this.#config;
    const logger = this.#logger.child({ queue });
    const settler = new Settler(this.#settling, this.#queueUrls, queue);
    const runner = new QueueRunner({ queue, slots, executor, settler, leaseSeconds, workerId, logger });
    const receiver = new Receiver({
      sqs: this.#receiving,
      queue,
      queueUrl: this.#queueUrls.of(queue),
      slots,
      queues,
      waitSeconds,
      leaseSeconds,
      logger,
      accept: (message, receivedAtMs, hasSlot) => runner.accept(message, receivedAtMs, hasSlot),
    });
    return { executor: executor.kind, receiver, runner };
  }

  get #queueUrls(): QueueUrls {
    return new QueueUrls(this.#config.queueUrlPrefix);
  }
}

/** The queues that the worker runs itself, with their weights. @throws ConfigError naming one that it cannot run */
function weightsOf(
  { queues, lambdaQueues }: WorkerConfig,
  implemented: readonly string[],
): ReadonlyMap<string, number> {
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

/** Whether `work` is done before the time is over, or before `sooner` ends the wait. */
async function before(work: Promise<unknown>, limitMs: number, sooner?: Promise<unknown>): Promise<boolean> {
  const timer = new AbortController();
  const late = sleep(limitMs, undefined, { signal: timer.signal }).catch(() => undefined);
  const ends = [work.then(() => true), late.then(() => false)];
  if (sooner) ends.push(sooner.then(() => false));
  return Promise.race(ends).finally(() => timer.abort());
}

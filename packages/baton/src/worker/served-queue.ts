// One queue that a worker serves: its receiver, its runner and its state.
import type { ExclusiveRuns } from '../run/exclusive-runs.ts';
import { QueueUrls } from '../sqs/queue-urls.ts';
import { Settler } from '../sqs/settler.ts';
import type { AttemptName } from '../run/running-attempt.ts';
import type { Room } from '../process/room.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { WorkerConfig } from './config.ts';
import type { Connections } from './connections.ts';
import type { Executor } from './executor.ts';
import { QueueRunner } from './queue-runner.ts';
import { Receiver } from './receiver.ts';
import type { RunningTask } from './running-task.ts';
import type { Slots } from './slots.ts';

const MAX_DESCRIBED = 100;

/** Configures a served queue. */
export interface ServedQueueOptions {
  readonly queue: string;
  readonly executor: Executor;
  readonly slots: Slots;
  /** Limits the bytes of the messages that all queues hold. Default: no limit. */
  readonly messages?: Room | undefined;
  /** The number of queues that share the slots. */
  readonly queues: number;
  readonly config: WorkerConfig;
  readonly connections: Connections;
  readonly logger: Logger;
  /** Lets a suspect run alone among all queues of the worker. Default: alone among this queue's tasks. */
  readonly exclusive?: ExclusiveRuns | undefined;
  /** Called right before a handler starts. */
  readonly onBegin?: ((attempt: AttemptName) => void) | undefined;
}

/** Serves a queue: receives its messages, runs and settles them. */
export class ServedQueue {
  readonly executor: Executor['kind'];
  readonly #receiver: Receiver;
  readonly #runner: QueueRunner;

  constructor(options: ServedQueueOptions) {
    const { queue, executor, slots, messages, queues, config, connections, exclusive, onBegin } = options;
    const { leaseSeconds, waitSeconds, workerId } = config;
    const queueUrls = new QueueUrls(config.queueUrlPrefix);
    const settler = new Settler(connections.settling, queueUrls, queue);
    const logger = options.logger.child({ queue });
    const runner = new QueueRunner({
      queue,
      slots,
      messages,
      executor,
      settler,
      leaseSeconds,
      workerId,
      logger,
      exclusive,
      onBegin,
    });
    this.executor = executor.kind;
    this.#runner = runner;
    this.#receiver = new Receiver({
      sqs: connections.receiving,
      queue,
      queueUrl: queueUrls.of(queue),
      slots,
      messages,
      queues,
      waitSeconds,
      leaseSeconds,
      logger,
      runner,
    });
  }

  /** How many messages are held: they run, wait for a slot, or are being settled. */
  get held(): number {
    return this.#runner.held;
  }

  /** The tasks whose handlers run, including handlers that outlived their outcome. */
  get running(): RunningTask[] {
    return this.#runner.running;
  }

  /** The queue's state, as `/health/state` shows it. */
  get state() {
    return {
      ...this.#receiver.state,
      // Monitors read this word (docs/operations.md), so it stays although the code says `own`
      executor: this.executor === 'own' ? ('local' as const) : this.executor,
      held: this.held,
      running: this.running.slice(0, MAX_DESCRIBED).map((task) => task.describe()),
    };
  }

  /** Starts receiving. */
  start(): void {
    this.#receiver.start();
  }

  /**
   * Stops receiving and starts no task. Resolves once no message is held. Polls end by themselves within their wait,
   * because a poll that is aborted may hide a message until its lease expires.
   */
  async drain(): Promise<void> {
    this.#runner.stopStarting();
    await this.#receiver.stop();
    await this.#runner.whenIdle();
  }

  /** Aborts all running tasks, so that their messages are released. */
  abort(): void {
    this.#runner.abort();
  }

  /** Aborts the polls under way. A message that SQS was just handing out comes back only when its lease expires. */
  abortPolls(): void {
    this.#receiver.abort();
  }
}

import type { ExclusiveRuns } from '../run/exclusive-runs.ts';
import { QueueUrls } from '../sqs/queue-urls.ts';
import { Settler } from '../sqs/settler.ts';
import type { AttemptName } from '../run/running-attempt.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { WorkerConfig } from './config.ts';
import type { Connections } from './connections.ts';
import type { Executor } from './executor.ts';
import { QueueRunner } from './queue-runner.ts';
import { Receiver } from './receiver.ts';
import type { RunningTask } from './running-task.ts';
import type { Slots } from './slots.ts';

const MAX_DESCRIBED = 100;

/** What a queue is served with. */
export interface ServedQueueOptions {
  readonly queue: string;
  readonly executor: Executor;
  readonly slots: Slots;
  /** How many queues share the slots. */
  readonly queues: number;
  readonly config: WorkerConfig;
  readonly connections: Connections;
  readonly logger: Logger;
  /** By which a suspect runs alone among all queues of the worker. Default: among this queue's tasks. */
  readonly exclusive?: ExclusiveRuns | undefined;
  /** Called right before a handler begins. */
  readonly onBegin?: ((attempt: AttemptName) => void) | undefined;
}

/** A queue that a worker serves, from receive to settling. */
export class ServedQueue {
  readonly executor: Executor['kind'];
  readonly #receiver: Receiver;
  readonly #runner: QueueRunner;

  constructor(options: ServedQueueOptions) {
    const { queue, executor, slots, queues, config, connections, exclusive, onBegin } = options;
    const { leaseSeconds, waitSeconds, workerId } = config;
    const queueUrls = new QueueUrls(config.queueUrlPrefix);
    const settler = new Settler(connections.settling, queueUrls, queue);
    const logger = options.logger.child({ queue });
    const runner = new QueueRunner({
      queue,
      slots,
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
      queues,
      waitSeconds,
      leaseSeconds,
      logger,
      runner,
    });
  }

  /** How many messages are held: running, waiting for a slot, or being settled. */
  get held(): number {
    return this.#runner.held;
  }

  /** The tasks that run, those included whose handlers outlived their outcome. */
  get running(): RunningTask[] {
    return this.#runner.running;
  }

  /** How it goes with this queue. */
  get state() {
    return {
      ...this.#receiver.state,
      // The word that readers of `/health/state` know
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
   * Asks for no more messages and starts none that waits. Resolves once nothing is held. Polls end by themselves
   * within their wait: one that is cut short may strand a message until its lease ends.
   */
  async drain(): Promise<void> {
    this.#runner.stopStarting();
    await this.#receiver.stop();
    await this.#runner.whenIdle();
  }

  /** Aborts what runs, so that it is released. */
  abort(): void {
    this.#runner.abort();
  }

  /** Ends the polls under way. A message that SQS was just handing out comes back only when its lease ends. */
  abortPolls(): void {
    this.#receiver.abort();
  }
}

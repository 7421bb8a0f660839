import type { ReceivedMessage } from '@baton/common/queue/received-message';
import type { Settler } from '@baton/common/queue/settler';
import type { Logger } from '@baton/common/telemetry/logger';
import type { Execution, Executor } from './executor.ts';
import { Lease } from './lease.ts';
import type { Slots } from './slots.ts';

/** The worker stops and has no more time for a task. */
export class WorkerStoppingError extends Error {
  override readonly name = 'WorkerStoppingError';
}

/** What a queue's runner needs. */
export interface QueueRunnerOptions {
  readonly slots: Slots;
  readonly executor: Executor;
  readonly settler: Settler;
  readonly leaseSeconds: number;
  readonly workerId: string;
  readonly logger: Logger;
}

/** Takes the messages of one queue from their receive to their settling: lease, slot, executor, outcome. */
export class QueueRunner {
  readonly #options: QueueRunnerOptions;
  readonly #running = new Set<Promise<void>>();
  readonly #drain = new AbortController();
  #stopping = false;

  constructor(options: QueueRunnerOptions) {
    this.#options = options;
  }

  /** How many messages are held. */
  get held(): number {
    return this.#running.size;
  }

  /** Takes messages over; resolves once each of them has a slot. Those that come while stopping are released. */
  async accept(messages: readonly ReceivedMessage[], receivedAtMs: number): Promise<void> {
    const started = messages.map((message) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      const run = this.#run(message, receivedAtMs, resolve).finally(() => {
        resolve();
        this.#running.delete(run);
      });
      this.#running.add(run);
      return promise;
    });
    await Promise.all(started);
  }

  /** Starts no task any more: messages that still wait for a slot are released. Running ones go on. */
  stopStarting(): void {
    this.#stopping = true;
  }

  /** Aborts what runs, so that it is released. */
  abort(): void {
    this.#drain.abort(new WorkerStoppingError('The worker stops and the drain time is over'));
  }

  /** Resolves once no message is held. */
  async whenIdle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  async #run(message: ReceivedMessage, receivedAtMs: number, onStart: () => void): Promise<void> {
    const { slots, settler, leaseSeconds, logger, executor } = this.#options;
    const lease = new Lease({ message, settler, leaseSeconds, receivedAtMs, logger });
    await slots.take();
    onStart();
    try {
      const execution = await this.#execute(message, lease, executor);
      lease.close();
      if (lease.held) await this.#settle(message, execution);
    } catch (error) {
      logger.error(
        { messageId: message.messageId, error },
        'message could not be settled; it comes back when its lease ends',
      );
    } finally {
      lease.close();
      slots.giveBack();
    }
  }

  async #execute(message: ReceivedMessage, lease: Lease, executor: Executor): Promise<Execution> {
    if (this.#stopping) return { kind: 'release', error: new WorkerStoppingError('The worker stops') };
    return executor.run(message, AbortSignal.any([lease.signal, this.#drain.signal]));
  }

  async #settle(message: ReceivedMessage, execution: Execution): Promise<void> {
    const { settler, workerId } = this.#options;
    switch (execution.kind) {
      case 'done':
        return settler.delete(message);
      case 'retry':
        return settler.hide(message, execution.delaySeconds);
      case 'release':
        return settler.hide(message, 0);
      case 'dead-letter':
        await settler.copyToDeadLetters(message, { ...execution, workerId });
        return settler.delete(message);
      case 'left':
    }
  }
}

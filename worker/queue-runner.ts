import type { ReceivedMessage } from '@baton/common/queue/received-message';
import type { Settler } from '@baton/common/queue/settler';
import type { Logger } from '@baton/common/telemetry/logger';
import type { Execution, Executor } from './executor.ts';
import { Lease, type LeaseLostError } from './lease.ts';
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
  readonly #held = new Set<Promise<void>>();
  readonly #running = new Set<AbortController>();
  readonly #waiting = new Set<() => void>();
  #stopping = false;

  constructor(options: QueueRunnerOptions) {
    this.#options = options;
  }

  /** How many messages are held, running or waiting for a slot. */
  get held(): number {
    return this.#held.size;
  }

  /** Takes messages over; resolves once each of them has a slot. Those that come while stopping are released. */
  async accept(messages: readonly ReceivedMessage[], receivedAtMs: number): Promise<void> {
    const started = messages.map((message) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      const run = this.#run(message, receivedAtMs, resolve).finally(() => {
        resolve();
        this.#held.delete(run);
      });
      this.#held.add(run);
      return promise;
    });
    await Promise.all(started);
  }

  /** Starts no task any more: messages that wait for a slot are released. Running ones go on. */
  stopStarting(): void {
    this.#stopping = true;
    for (const giveUp of this.#waiting) giveUp();
  }

  /** Aborts what runs, so that it is released. */
  abort(): void {
    const error = new WorkerStoppingError('The worker stops and the drain time is over');
    for (const attempt of this.#running) attempt.abort(error);
  }

  /** Resolves once no message is held. */
  async whenIdle(): Promise<void> {
    while (this.#held.size > 0) await Promise.all(this.#held);
  }

  async #run(message: ReceivedMessage, receivedAtMs: number, onStart: () => void): Promise<void> {
    const { settler, leaseSeconds, workerId, logger } = this.#options;
    const attempt = new AbortController();
    const onLost = (error: LeaseLostError): void => attempt.abort(error);
    const lease = new Lease({ message, settler, leaseSeconds, receivedAtMs, logger, onLost });
    try {
      const execution = await this.#execute(message, attempt, onStart);
      await lease.close();
      if (lease.held && execution.kind !== 'left') await settler.settle(message, execution, workerId);
    } catch (error) {
      const { messageId } = message;
      logger.error({ messageId, error }, 'message could not be settled; it comes back when its lease ends');
    } finally {
      await lease.close();
    }
  }

  async #execute(
    message: ReceivedMessage,
    attempt: AbortController,
    onStart: () => void,
  ): Promise<Execution> {
    const { slots, executor } = this.#options;
    if (!(await this.#slot())) return { kind: 'release', error: new WorkerStoppingError('The worker stops') };
    this.#running.add(attempt);
    onStart();
    try {
      return await executor.run(message, attempt.signal);
    } finally {
      this.#running.delete(attempt);
      slots.giveBack();
    }
  }

  /** Takes a slot; resolves to false when the worker stops before there is one. */
  async #slot(): Promise<boolean> {
    if (this.#stopping) return false;
    const { slots } = this.#options;
    const { promise: givenUp, resolve: giveUp } = Promise.withResolvers<void>();
    this.#waiting.add(giveUp);
    const slot = slots.take();
    const first = await Promise.race([givenUp.then(() => 'given up'), slot]);
    this.#waiting.delete(giveUp);
    if (first !== 'given up') return true;
    void slot.then(() => slots.giveBack());
    return false;
  }
}

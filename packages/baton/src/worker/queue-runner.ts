import { ExclusiveRuns } from '../run/exclusive-runs.ts';
import { isWithoutSlot, outcomeWithoutSlot, RunsAloneError } from './slot.ts';
import { type Outcome, restingAtMost } from '../task/outcome.ts';
import type { ReceivedMessage } from '../sqs/received-message.ts';
import type { Settler } from '../sqs/settler.ts';
import { leavesToOthers } from '../run/unknown-task.ts';
import type { AttemptName } from '../run/running-attempt.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Execution, Executor } from './executor.ts';
import { RunningTask } from './running-task.ts';
import { MAX_WAIT_MS, type Slots } from './slots.ts';

/** While so many messages of a queue wait to be settled, because SQS takes no deletes, say, no slot becomes free. */
const MAX_UNSETTLED = 1000;

/**
 * A slot rests for so long after a task that this worker does not know, in milliseconds: else an idle worker of an old
 * revision would take every new task again and again before a busy worker that knows it has a slot free.
 */
const UNKNOWN_REST_MS = 1000;

/** The worker stops and has no more time for a task. */
export class WorkerStoppingError extends Error {
  override readonly name = 'WorkerStoppingError';
}

/** What a queue's runner needs. */
export interface QueueRunnerOptions {
  readonly queue: string;
  readonly slots: Slots;
  readonly executor: Executor;
  readonly settler: Settler;
  readonly leaseSeconds: number;
  readonly workerId: string;
  readonly logger: Logger;
  /** By which a suspect runs alone among all queues of the worker. Default: among this queue's tasks. */
  readonly exclusive?: ExclusiveRuns | undefined;
  /** Called right before a handler begins. */
  readonly onBegin?: ((attempt: AttemptName) => void) | undefined;
}

/** An outcome that is to be carried out before its lease ends, by `performance.now()`. */
interface Settling {
  readonly outcome: Outcome;
  readonly untilMs: number;
}

/** Takes the messages of one queue from their receive to their settling: lease, slot, executor, outcome. */
export class QueueRunner {
  readonly #options: QueueRunnerOptions;
  readonly #held = new Set<Promise<void>>();
  readonly #running = new Set<RunningTask>();
  readonly #stopping = new AbortController();
  readonly #exclusive: ExclusiveRuns;
  /** Slots that wait for something to be settled before they are given back. */
  readonly #waitingToEnd: (() => void)[] = [];
  #unsettled = 0;

  constructor(options: QueueRunnerOptions) {
    this.#options = options;
    this.#exclusive = options.exclusive ?? new ExclusiveRuns();
  }

  /** How many messages are held: running, waiting for a slot, or being settled. */
  get held(): number {
    return this.#held.size;
  }

  /** The tasks that run, those included whose handlers outlived their outcome. */
  get running(): RunningTask[] {
    return [...this.#running];
  }

  /**
   * Takes a message over; resolves once it has a slot or is given back. A message that comes while stopping is released,
   * and one for which there is no slot at once or in a moment is given back: another worker may have one free.
   */
  accept(message: ReceivedMessage, askedAtMs: number, hasSlot: boolean): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const run = this.#run(message, askedAtMs, hasSlot, resolve).finally(() => {
      resolve();
      this.#held.delete(run);
    });
    this.#held.add(run);
    return promise;
  }

  /** Starts no task any more: messages that wait for a slot are released. Running ones go on. */
  stopStarting(): void {
    this.#stopping.abort(new WorkerStoppingError('The worker stops'));
  }

  /** Aborts what runs, so that it is released. */
  abort(): void {
    const error = new WorkerStoppingError('The worker stops and the drain time is over');
    for (const task of this.#running) task.abort(error);
  }

  /** Resolves once no message is held. */
  async whenIdle(): Promise<void> {
    while (this.#held.size > 0) await Promise.all(this.#held);
  }

  async #run(
    message: ReceivedMessage,
    askedAtMs: number,
    hasSlot: boolean,
    onStart: () => void,
  ): Promise<void> {
    try {
      const settling = await this.#decide(message, askedAtMs, hasSlot, onStart);
      if (settling) await this.#settle(message, settling);
    } catch (error) {
      const { messageId } = message;
      const { logger, executor } = this.#options;
      logger.error({ messageId, error }, 'message could not be settled; it comes back when its lease ends');
      // Else the next attempt would take this worker for dead
      await executor.comesBack?.(message).catch(() => undefined);
    }
  }

  /** Resolves to how a message is to be settled, with nothing left of what ran it; to nothing where it is another's by now. */
  async #decide(
    message: ReceivedMessage,
    askedAtMs: number,
    hasSlot: boolean,
    onStart: () => void,
  ): Promise<Settling | undefined> {
    const { settler, leaseSeconds, logger, onBegin } = this.#options;
    const exclusive = this.#exclusive;
    const { signal: stopping } = this.#stopping;
    const leasing = { message, settler, leaseSeconds, askedAtMs, logger };
    const task = new RunningTask({ ...leasing, onBegin, exclusive, stopping });
    const { lease } = task;
    try {
      const execution = await this.#execute(task, hasSlot, onStart);
      const renewed = lease.stopRenewing();
      // A renewal that comes late would undo a rest or a release; it brings no deleted message back
      if (execution.kind === 'retry' || execution.kind === 'release') await renewed;
      if (!lease.held || execution.kind === 'left') return undefined;
      return { outcome: restingAtMost(execution, lease.hideableSeconds), untilMs: lease.endsAtMs };
    } finally {
      lease.close();
    }
  }

  async #execute(task: RunningTask, hasSlot: boolean, onStart: () => void): Promise<Execution> {
    const { executor, slots, queue, logger } = this.#options;
    const { signal } = this.#stopping;
    const starts = hasSlot ? !signal.aborted : await slots.takeSoon(queue, signal);
    if (!starts) {
      if (hasSlot) slots.giveBack(queue);
      if (signal.aborted) return this.#givenBack(task);
      logger.info({ messageId: task.message.messageId }, 'no slot is free: message given back');
      return outcomeWithoutSlot(task.message);
    }
    if (this.#exclusive.closed && !(await this.#exclusive.opened(MAX_WAIT_MS, signal))) {
      slots.giveBack(queue);
      return this.#givenBack(task);
    }
    if (task.signal.aborted) {
      // The lease was lost while the message waited: another worker may run it by now
      slots.giveBack(queue);
      return { kind: 'left' };
    }
    this.#running.add(task);
    this.#exclusive.begin();
    onStart();
    const startedAtMs = performance.now();
    let execution: Execution | undefined;
    try {
      execution = await executor.run(task.message, task);
      return execution;
    } finally {
      task.decided();
      void task.whenEnded().then(() => this.#end(task, startedAtMs, execution));
    }
  }

  /** What becomes of a message that must not begin: the worker stops, or a suspect runs alone. */
  #givenBack({ message }: RunningTask): Execution {
    const { aborted, reason } = this.#stopping.signal as {
      readonly aborted: boolean;
      readonly reason: Error;
    };
    return outcomeWithoutSlot(message, aborted ? reason : new RunsAloneError());
  }

  async #settle(message: ReceivedMessage, { outcome, untilMs }: Settling): Promise<void> {
    const { settler, workerId } = this.#options;
    this.#unsettled += 1;
    try {
      await settler.settle(message, outcome, workerId, untilMs);
    } finally {
      this.#unsettled -= 1;
      this.#waitingToEnd.shift()?.();
    }
  }

  /**
   * Gives a task's slot back: one of a handler that ignores its signal when that ends at last, and any while too much
   * waits to be settled when some of it is.
   */
  #end(task: RunningTask, startedAtMs: number, execution: Execution | undefined): void {
    const { slots, queue } = this.#options;
    const ranMs = performance.now() - startedAtMs;
    this.#running.delete(task);
    this.#exclusive.end();
    if (execution && leavesToOthers(execution))
      setTimeout(() => slots.giveBack(queue), UNKNOWN_REST_MS).unref();
    else if (execution && isWithoutSlot(execution)) slots.giveBack(queue);
    else if (this.#unsettled < MAX_UNSETTLED) slots.taskEnded(queue, ranMs);
    else this.#waitingToEnd.push(() => slots.taskEnded(queue, ranMs));
  }
}

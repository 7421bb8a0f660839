// Runs the messages of one queue, from receive to settling: slot, lease, executor, outcome.
import { TaskError } from '../task/errors.ts';
import { ExclusiveRuns } from '../run/exclusive-runs.ts';
import type { AttemptName } from '../run/running-attempt.ts';
import { isReleaseOfUnknown } from '../run/unknown-task.ts';
import { bytesOf, type ReceivedMessage } from '../sqs/received-message.ts';
import type { Room } from '../process/room.ts';
import type { Settler } from '../sqs/settler.ts';
import { type Outcome, restingAtMost } from '../task/outcome.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Execution, Executor } from './executor.ts';
import { RunningTask } from './running-task.ts';
import { isWithoutSlot, outcomeWithoutSlot, RunsAloneError, Slot, SlotRequest } from './slot.ts';
import { MAX_WAIT_MS, type Slots } from './slots.ts';

/** No slot becomes free while so many messages of a queue wait to be settled, for example because SQS refuses deletes. */
const MAX_UNSETTLED = 1000;

/**
 * How long a slot stays taken after a task that this worker does not know, in milliseconds. Otherwise an idle worker of an
 * old revision would receive every new task again and again, before a busy worker that knows the task has a free slot.
 */
const UNKNOWN_PAUSE_MS = 1000;

/** The worker stops and has no more time for a task. */
export class WorkerStoppingError extends TaskError {
  override readonly name = 'WorkerStoppingError';
}

/** Configures a queue's runner. */
export interface QueueRunnerOptions {
  readonly queue: string;
  readonly slots: Slots;
  /** Limits the bytes of messages that are held. Default: no limit. */
  readonly messages?: Room | undefined;
  readonly executor: Executor;
  readonly settler: Settler;
  readonly leaseSeconds: number;
  readonly workerId: string;
  readonly logger: Logger;
  /** Lets a suspect run alone among all queues of the worker. Default: alone among this queue's tasks. */
  readonly exclusive?: ExclusiveRuns | undefined;
  /** Called right before a handler starts. */
  readonly onBegin?: ((attempt: AttemptName) => void) | undefined;
}

/** An outcome to settle. */
interface Settling {
  readonly outcome: Outcome;
  /** When the lease expires, by `performance.now()`. */
  readonly untilMs: number;
}

/** Runs and settles the messages of one queue. */
export class QueueRunner {
  readonly #options: QueueRunnerOptions;
  readonly #running = new Set<RunningTask>();
  readonly #stopping = new AbortController();
  readonly #exclusive: ExclusiveRuns;
  /** Gives back slots of tasks that have ended. Each waits until another message is settled. */
  readonly #endedTasks: (() => void)[] = [];
  #held = 0;
  #unsettled = 0;
  #idle: PromiseWithResolvers<void> | undefined;

  constructor(options: QueueRunnerOptions) {
    this.#options = options;
    this.#exclusive = options.exclusive ?? new ExclusiveRuns();
  }

  /** How many messages are held: they run, wait for a slot, or are being settled. */
  get held(): number {
    return this.#held;
  }

  /** The tasks whose handlers run, including handlers that outlived their outcome. */
  get running(): RunningTask[] {
    return [...this.#running];
  }

  /**
   * Runs a message that was received without a slot, if a slot is free or soon will be. Otherwise gives the message back,
   * because another worker may have a free slot. Resolves once the message runs or is given back.
   *
   * @param askedAtMs - when the message was asked for, by `performance.now()`
   */
  async runIfSlotIsFree(message: ReceivedMessage, askedAtMs: number): Promise<void> {
    const request = new SlotRequest(this.#options.slots, this.#options.queue);
    await Promise.race([request.used, this.run(message, askedAtMs, request)]);
  }

  /**
   * Runs a message and settles its outcome. Resolves once it is settled, given back or left. Never rejects.
   *
   * @param askedAtMs - when the message was asked for, by `performance.now()`
   */
  async run(message: ReceivedMessage, askedAtMs: number, slot: Slot | SlotRequest): Promise<void> {
    const { settler, executor, workerId, logger, messages } = this.#options;
    let settling: Settling | undefined;
    this.#held += 1;
    messages?.takeAnyway(bytesOf(message));
    try {
      settling = await this.#execute(message, askedAtMs, slot);
      if (!settling) return;
      this.#unsettled += 1;
      await settler.settle(message, settling.outcome, workerId, settling.untilMs);
    } catch (error) {
      const { messageId } = message;
      logger.error(
        { messageId, error },
        'message could not be settled; it comes back when its lease expires',
      );
      // Otherwise this worker would count as dead at the next receive
      await executor.logReturn?.(message).catch(() => undefined);
    } finally {
      if (settling) this.#settled();
      messages?.giveBack(bytesOf(message));
      this.#held -= 1;
      if (this.#held === 0) this.#idle?.resolve();
    }
  }

  /** Starts no more tasks: messages that wait for a slot are released. Running tasks continue. */
  stopStarting(): void {
    this.#stopping.abort(new WorkerStoppingError('The worker stops'));
  }

  /** Aborts all running tasks, so that their messages are released. */
  abort(): void {
    const error = new WorkerStoppingError('The worker stops and the drain time is over');
    for (const task of this.#running) task.abort(error);
  }

  /** Resolves once no message is held. */
  async whenIdle(): Promise<void> {
    while (this.#held > 0) {
      this.#idle ??= Promise.withResolvers();
      await this.#idle.promise;
      this.#idle = undefined;
    }
  }

  /** Runs a message under a lease. Resolves to the outcome to settle; to undefined if the message is left. */
  async #execute(
    message: ReceivedMessage,
    askedAtMs: number,
    requested: Slot | SlotRequest,
  ): Promise<Settling | undefined> {
    const { executor, logger } = this.#options;
    const { signal: stopping } = this.#stopping;
    const task = this.#newTask(message, askedAtMs);
    try {
      if (stopping.aborted) {
        requested.giveBack();
        return await settlingOf(task, this.#givenBack(message));
      }
      const slot = requested instanceof Slot ? requested : await requested.take(stopping);
      if (!slot) {
        const { messageId } = message;
        if (!stopping.aborted) logger.info({ messageId }, 'no slot is free: message given back');
        return await settlingOf(task, this.#givenBack(message));
      }
      if (this.#exclusive.closed && !(await this.#exclusive.opened(MAX_WAIT_MS, stopping))) {
        slot.giveBack();
        return await settlingOf(task, this.#givenBack(message, new RunsAloneError()));
      }
      if (task.signal.aborted) {
        // The lease was lost while the message waited: another worker may run it by now
        slot.giveBack();
        return undefined;
      }
      if (requested instanceof SlotRequest) requested.use();
      this.#running.add(task);
      this.#exclusive.begin();
      const startedAtMs = performance.now();
      let execution: Execution | undefined;
      try {
        execution = await executor.run(message, task);
      } finally {
        task.decided();
        void task.whenEnded().then(() => this.#end(task, slot, startedAtMs, execution));
      }
      return await settlingOf(task, execution);
    } finally {
      task.lease.close();
    }
  }

  #newTask(message: ReceivedMessage, askedAtMs: number): RunningTask {
    const { settler, leaseSeconds, logger, onBegin } = this.#options;
    const { signal: stopping } = this.#stopping;
    const leasing = { message, settler, leaseSeconds, askedAtMs, logger };
    return new RunningTask({ ...leasing, onBegin, exclusive: this.#exclusive, stopping });
  }

  /** The outcome of a message that cannot start. @param why - the reason, unless the worker stops. Default: no free slot */
  #givenBack(message: ReceivedMessage, why?: Error): Outcome {
    const { aborted, reason } = this.#stopping.signal as AbortSignal & { readonly reason: Error };
    return outcomeWithoutSlot(message, aborted ? reason : why);
  }

  /** Gives the slot of a task back once its handler has ended and not too many messages wait to be settled. */
  #end(task: RunningTask, slot: Slot, startedAtMs: number, execution: Execution | undefined): void {
    const ranMs = performance.now() - startedAtMs;
    this.#running.delete(task);
    this.#exclusive.end();
    if (execution && isReleaseOfUnknown(execution))
      setTimeout(() => slot.giveBack(), UNKNOWN_PAUSE_MS).unref();
    else if (execution && isWithoutSlot(execution)) slot.giveBack();
    else if (this.#unsettled < MAX_UNSETTLED) slot.taskEnded(ranMs);
    else this.#endedTasks.push(() => slot.taskEnded(ranMs));
  }

  #settled(): void {
    this.#unsettled -= 1;
    this.#endedTasks.shift()?.();
  }
}

/** Stops the renewal of a task's lease. Resolves to the outcome to settle; to undefined if the message is left or its lease lost. */
async function settlingOf({ lease }: RunningTask, execution: Execution): Promise<Settling | undefined> {
  const renewed = lease.stopRenewing();
  // A late renewal would undo a rest. A deleted message does not matter
  if (execution.kind === 'retry' || execution.kind === 'release') await renewed;
  if (!lease.held || execution.kind === 'left') return undefined;
  return { outcome: restingAtMost(execution, lease.hideableSeconds), untilMs: lease.endsAtMs };
}

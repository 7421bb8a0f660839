// The types of sends: their options, and the handle of a tracked task.
import type { z } from 'zod';
import type { TraceContext } from '../telemetry/trace-context.ts';
import type { TaskStatus } from './task-status.ts';
import type { EndListener, TaskContract } from './task.ts';

/**
 * The options of a send.
 *
 * @typeParam Lane - the names of the contract's lanes
 */
export interface SendOptions<Lane extends string = string> {
  /** The task's id: 1 to 128 letters, digits and `._:-`. Default: a new uuid v7. */
  readonly taskId?: string;
  /**
   * Derives the task id from this key and the contract, so that a tracked task is sent once even if it is sent again. 1 to
   * 255 characters. Cannot be combined with `taskId`.
   */
  readonly deduplicationKey?: string;
  /**
   * The delay before the task may run, in whole seconds: 0 to 900, for tracked tasks 0 to 1,209,600 (14 days). Delays over
   * 900 s cost one more receive for every 12 hours. Default 0.
   */
  readonly delaySeconds?: number;
  /** Earliest start time. A past time means now. Cannot be combined with `delaySeconds`. */
  readonly notBefore?: Date;
  /**
   * The lane of the task, one of its contract's lanes. For a chain or group, the lane of each of its tasks whose contract
   * has that lane. Default: the contract's default lane.
   */
  readonly lane?: Lane | undefined;
  /** The trace that this task belongs to. Default: a new one. */
  readonly trace?: TraceContext | undefined;
  /** The id of the task whose handler sends this one. */
  readonly parentId?: string | undefined;
  /** How many tasks sent each other before this one, at most 1,000. A handler's `send` sets it. Default 0. */
  readonly depth?: number | undefined;
  /**
   * The subject of the task, such as a payment's id: 1 to 128 characters, for listeners and people. For a chain or group,
   * the subject of all its tasks.
   */
  readonly subject?: string | undefined;
  /**
   * A listener to this task's end, in addition to that of the contract: a contract whose payload is `taskEndSchema`. Only
   * for tracked tasks. The listener of a chain or group is told the end of its last task, which is cancelled if an earlier
   * task does not succeed.
   */
  readonly onEnd?: EndListener | undefined;
}

/** Configures the wait for a result. */
export interface ResultOptions {
  /** How long to wait, in seconds. Default 30. */
  readonly timeoutSeconds?: number;
  /** Ends the wait early when it aborts. */
  readonly signal?: AbortSignal;
}

/** Configures the cancellation of a task. */
export interface CancelOptions {
  /** Who cancels it, such as a caller's subject: at most 255 characters. Kept as `cancelledBy` of the task's status. */
  readonly by?: string | undefined;
}

/** The handle of a tracked task that was sent: reads its status, waits for its result, cancels it. */
export interface TaskHandle<Result extends z.ZodType = z.ZodType> {
  readonly taskId: string;
  /** The task's status; undefined once it has expired, 14 days after its end. */
  status(): Promise<TaskStatus | undefined>;
  /**
   * Waits for the task's result. Asks the task store after 50 ms, then less and less often, at last every 2 s. The store may
   * be away meanwhile.
   *
   * @throws TaskFailedError if the task did not succeed, TaskCancelledError if it was cancelled
   * @throws ResultTimeoutError if the task did not end in time; it goes on. `cause` is why the store could not be asked
   */
  result(options?: ResultOptions): Promise<z.output<Result>>;
  /**
   * Cancels the task; the handle of a chain or group cancels all its tasks. A waiting task never runs. The signal of a
   * running handler aborts within a heartbeat, or once its effect under way has ended. Resolves to the status after
   * that: `cancelled`, unless the task had ended before.
   *
   * @throws SendError as `TaskClient.cancel`
   */
  cancel(options?: CancelOptions): Promise<TaskStatus | undefined>;
}

/** A task that SQS has accepted: its handle if it is tracked, else its id. */
export type SentTask<
  Result extends z.ZodType = z.ZodType,
  Tracked extends boolean = false,
> = Tracked extends true ? TaskHandle<Result> : { readonly taskId: string };

/** Sends a task. The type of the `send` of task clients and of handlers. */
export type SendTask = <
  Payload extends z.ZodType,
  Result extends z.ZodType,
  Tracked extends boolean = false,
  Lane extends string = never,
>(
  contract: TaskContract<Payload, Result, Tracked, Lane>,
  payload: z.input<Payload>,
  options?: SendOptions<NoInfer<Lane>>,
) => Promise<SentTask<Result, Tracked>>;

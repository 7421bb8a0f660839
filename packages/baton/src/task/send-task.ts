import type { z } from 'zod';
import type { TraceContext } from '../telemetry/trace-context.ts';
import type { TaskStatus } from './task-status.ts';
import type { EndListener, TaskContract } from './task.ts';

/**
 * What a sender may say beyond the payload.
 *
 * @typeParam Lane - the names of the lanes that there are
 */
export interface SendOptions<Lane extends string = string> {
  /** The task's id: 1 to 128 letters, digits and `._:-`. Default: a new uuid v7. */
  readonly taskId?: string;
  /**
   * Gives the same task id for the same key and contract, so that a tracked task is sent once however often it is
   * asked for; 1 to 255 characters. Not beside `taskId`.
   */
  readonly deduplicationKey?: string;
  /**
   * How long the task is kept from workers, in whole seconds, 0 to 900; of tracked tasks to 1,209,600 (14 days), where
   * what is beyond 900 costs one more receive for every 12 hours. Default 0.
   */
  readonly delaySeconds?: number;
  /** Earliest start time. A time that is past means now. Cannot be combined with `delaySeconds`. */
  readonly notBefore?: Date;
  /**
   * The lane that the task travels in, of those that its contract declares; of a chain or group, the lane of each of its
   * tasks whose contract has it. Default: the contract's default lane.
   */
  readonly lane?: Lane | undefined;
  /** The trace that this task belongs to. Default: a new one. */
  readonly trace?: TraceContext | undefined;
  /** The task whose handler sends this one. */
  readonly parentId?: string | undefined;
  /** How many tasks sent each other before this one, at most 1,000: what a handler's own `send` counts. Default 0. */
  readonly depth?: number | undefined;
  /**
   * What the task is about, such as a payment's id, 1 to 128 characters: for whoever is told of its end, and for people who
   * look at it. Of a chain or group, what all of its tasks are about.
   */
  readonly subject?: string | undefined;
  /**
   * One more task, beside the one that the contract names, that is told of every end of this one: a contract whose payload
   * is `taskEndSchema`. Of tracked tasks only. Of a chain or group it is told of the last task's end: that is cancelled
   * when one before it does not succeed.
   */
  readonly onEnd?: EndListener | undefined;
}

/** How long to wait for a result. */
export interface ResultOptions {
  /** In seconds. Default 30. */
  readonly timeoutSeconds?: number;
  /** Ends the wait sooner. */
  readonly signal?: AbortSignal;
}

/** A tracked task that was sent: asks for its state and its result, and cancels it. */
export interface TaskHandle<Result extends z.ZodType = z.ZodType> {
  readonly taskId: string;
  /** What is known of the task; nothing once it has expired, 14 days after its end. */
  status(): Promise<TaskStatus | undefined>;
  /**
   * Waits for the task's result. The store is asked after 50 ms, then ever less often, every 2 s at last. It may be away
   * meanwhile.
   *
   * @throws TaskFailedError when the task did not succeed, TaskCancelledError when it was cancelled
   * @throws ResultTimeoutError when it has not ended in time; it goes on. Its `cause` is why the store could not be asked
   */
  result(options?: ResultOptions): Promise<z.output<Result>>;
  /**
   * Cancels the task, and with the handle of a chain or group all of its tasks: what waits never runs, the signal of
   * what runs aborts within a heartbeat. Resolves to the task as it is then: `cancelled`, unless it had ended before.
   *
   * @throws SendError as `TaskClient.cancel`
   */
  cancel(): Promise<TaskStatus | undefined>;
}

/** A task that SQS has taken; of a tracked one, what can be asked of it. */
export type SentTask<
  Result extends z.ZodType = z.ZodType,
  Tracked extends boolean = false,
> = Tracked extends true ? TaskHandle<Result> : { readonly taskId: string };

/** Sends a task: the form that handlers and routes get, without the client around it. */
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

// Contracts: what may be asked of a service.
import * as z from 'zod';
import { laneIssues, type LaneWeights, laneWeightsSchema } from './lane.ts';
import { reportOf } from './contract-schema.ts';
import { attempted } from './schema-checks.ts';
import { type RetryPolicy, retryPolicySchema } from './retry-policy.ts';
import { MAX_SCHEDULED_NAME_CHARACTERS, type Schedule, scheduleSchema } from './schedule.ts';
import { type TaskEndSchema, taskEndSchema } from './task-end.ts';

/**
 * A task that services can ask each other for. Data only: senders and workers import the same contract.
 *
 * @typeParam Payload - the payload's schema
 * @typeParam Result - the result's schema
 * @typeParam Tracked - whether a task store keeps the state of its tasks
 * @typeParam Lane - the names of its lanes
 */
export interface TaskContract<
  Payload extends z.ZodType = z.ZodType,
  Result extends z.ZodType = z.ZodType,
  Tracked extends boolean = boolean,
  Lane extends string = string,
> {
  /** The task's name on the wire: `domain.verb` in lower case. Never reuse a name for another task. */
  readonly name: string;
  /**
   * The contract's version, 1 to 1,000,000. Increment it when a change would break messages in flight, or services that are
   * one version behind; `npm run contracts` tells when. A worker with a lower version releases the message, like that of an
   * unknown task. Default 1.
   */
  readonly version?: number;
  /** The queue of its messages, without the stage's prefix. */
  readonly queue: string;
  /**
   * The lanes of its queue, 2 to 8, each with a weight of 1 to 100: `{ high: 8, normal: 3, low: 1 }`. A sender chooses one
   * with `SendOptions.lane`. The first task of an idle lane gets a worker's next free slot, whatever waits in other lanes.
   * While several lanes have waiting tasks, they share the slots by weight.
   *
   * Each lane except the default one is a queue, such as `payments_high`. It is created from this line everywhere, on AWS
   * too. All contracts on a queue that declare lanes must declare the same. Ticks of a schedule go to the default lane.
   */
  readonly lanes?: LaneWeights<Lane>;
  /** The lane of tasks that are sent without one. Its messages are in `queue` itself. Required with `lanes`. */
  readonly defaultLane?: NoInfer<Lane>;
  readonly payload: Payload;
  readonly result: Result;
  /**
   * The largest payload, in bytes of its JSON. 1 to 1,048,576, which is SQS's limit for a whole message. Default 262,144
   * (256 KiB). A larger one is refused where it is sent. A worker does not read a larger one: it becomes a dead letter
   * `too-large`. So does a payload with more than one value for each 16 of these bytes, and more than 4,096.
   */
  readonly maxPayloadBytes?: number;
  readonly retry: RetryPolicy;
  /** The time limit of an attempt, in seconds. 1 to 43,200 (12 h, the longest that SQS hides a message). */
  readonly timeoutSeconds: number;
  /**
   * Where the handler runs. Default: on the worker's event loop, which it must not block. `thread`: in a worker thread. There
   * it may use the CPU for long, while the worker renews its lease. If it ignores its signal for longer than the grace
   * period, its thread is terminated.
   *
   * The handler is the same either way, and its results and errors are treated alike. A thread starts in some tenths of a
   * second, which count towards the time limit, and is kept for the next task. While an effect or send of the handler is
   * under way, its termination waits for up to 30 s. A function ignores this option and runs the handler in its own process,
   * which Lambda ends at its time limit.
   */
  readonly isolation?: 'thread';
  /**
   * Whether a task store keeps the task's state, attempts, effects and result. A tracked task can be looked up, waited for
   * and cancelled, and its kept effects are not run again. Costs three writes a task. Default false.
   */
  readonly tracked?: Tracked;
  /**
   * When the task runs without a sender, with the payload `{}`. Only for tracked tasks, because the store makes several
   * workers run a tick once.
   */
  readonly schedule?: Schedule;
  /**
   * The listener to the ends of its tasks (succeeded, failed, dead or cancelled): a contract whose payload is
   * `taskEndSchema`. Only for tracked tasks, because the store knows how they ended.
   */
  readonly onEnd?: EndListener;
}

/** A contract whose tasks are told how other tasks ended. */
export type EndListener = TaskContract<TaskEndSchema>;

/** A contract of tracked tasks. */
export type TrackedContract<
  Payload extends z.ZodType = z.ZodType,
  Result extends z.ZodType = z.ZodType,
  Lane extends string = string,
> = TaskContract<Payload, Result, true, Lane>;

/** A contract with a schedule. */
export type ScheduledContract = TrackedContract & { readonly schedule: Schedule };

/** Whether a contract's tasks are tracked. */
export function isTracked<Payload extends z.ZodType, Result extends z.ZodType, Lane extends string>(
  contract: TaskContract<Payload, Result, boolean, Lane>,
): contract is TrackedContract<Payload, Result, Lane> {
  return contract.tracked === true;
}

/** Whether a contract has a schedule. */
export function isScheduled(contract: TaskContract): contract is ScheduledContract {
  return contract.schedule !== undefined;
}

/** The name of a contract: `domain.verb`, at most 128 characters. */
export const taskNameSchema = z
  .string()
  .max(128)
  .regex(/^[a-z0-9-]+(\.[a-z0-9-]+)+$/, 'expected domain.verb in lower case');

/** SQS's limit for one message and for one batch, in bytes (Amazon SQS message quotas). */
export const MAX_MESSAGE_BYTES = 1_048_576;

/** The largest payload of a contract that does not say, in bytes of JSON. */
export const DEFAULT_MAX_PAYLOAD_BYTES = 262_144;

/** The largest payload of a contract, in bytes of JSON. */
export function maxPayloadBytesOf({
  maxPayloadBytes,
}: {
  readonly maxPayloadBytes?: number | undefined;
}): number {
  return maxPayloadBytes ?? DEFAULT_MAX_PAYLOAD_BYTES;
}

/** The version of a contract. */
export const versionSchema = z.int().min(1).max(1_000_000);

/** A schema for values that JSON carries and that may be checked twice: where they are sent, and where they are received. */
const carriedSchema = z.instanceof(z.ZodType).superRefine((schema, context) => {
  for (const { path, message } of reportOf(schema).issues)
    context.addIssue({ code: 'custom', path: path.split('.').filter((part) => part !== ''), message });
});

const contractSchema = z
  .object({
    name: taskNameSchema,
    version: versionSchema.optional(),
    queue: z
      .string()
      .max(60)
      .regex(/^[a-z0-9-]+$/, 'expected lower-case letters, digits and hyphens'),
    lanes: laneWeightsSchema.optional(),
    defaultLane: z.string().optional(),
    retry: retryPolicySchema,
    timeoutSeconds: z.int().min(1).max(43_200),
    isolation: z.literal('thread').optional(),
    tracked: z.boolean().optional(),
    schedule: scheduleSchema.optional(),
    maxPayloadBytes: z.int().min(1).max(MAX_MESSAGE_BYTES).optional(),
    payload: carriedSchema,
    result: carriedSchema,
    onEnd: z
      .custom<EndListener>(isEndListener, 'expected a contract whose payload is taskEndSchema')
      .optional(),
  } satisfies Record<keyof TaskContract, z.ZodType>)
  .refine(({ onEnd, tracked }) => !onEnd || tracked, {
    path: ['onEnd'],
    error: 'expected tracked: true, because only the task store knows how a task ended',
  })
  .superRefine((contract, context) => {
    for (const { path, message } of laneIssues(contract))
      context.addIssue({ code: 'custom', path: [path], message });
  })
  .superRefine(({ name, schedule, tracked, payload }, context) => {
    if (!schedule) return;
    const issue = (message: string): void =>
      context.addIssue({ code: 'custom', path: ['schedule'], message });
    if (!tracked)
      issue('expected tracked: true, because the task store makes several workers run a tick once');
    if (name.length > MAX_SCHEDULED_NAME_CHARACTERS)
      issue(
        `expected a name of at most ${MAX_SCHEDULED_NAME_CHARACTERS} characters, because each tick's task id contains it`,
      );
    if (!attempted(() => payload.safeParse({}))?.result.success) issue('expected a payload that may be {}');
  });

/** Whether a value is a contract that can listen to the ends of tasks. */
export function isEndListener(contract: unknown): contract is EndListener {
  return (contract as Partial<EndListener> | undefined)?.payload === taskEndSchema;
}

/**
 * Defines a task. `TaskClient.send` and `implement` get their types from the contract's schemas.
 *
 * A payload travels as JSON, and its schema checks it twice: where it is sent, and where it runs. So a schema must only allow
 * values that JSON carries, and must not change a value each time, as transforms and codecs do. `trim` and the like,
 * defaults and z.coerce are allowed, because they change nothing the second time. Asynchronous checks are not allowed.
 * Schemas that z.lazy and getters name must be declared before the contract. If a schema cannot prove that the second check
 * changes nothing, for example because of `check` or `superRefine`, each value is checked twice where it is sent, and
 * refused if it changes again.
 *
 * @throws TypeError that names the wrong member, when the module is imported: no process starts with a wrong contract
 */
export function defineTask<
  Payload extends z.ZodType,
  Result extends z.ZodType,
  const Tracked extends boolean = false,
  Lane extends string = never,
>(contract: TaskContract<Payload, Result, Tracked, Lane>): TaskContract<Payload, Result, Tracked, Lane> {
  const parsed = contractSchema.safeParse(contract);
  if (!parsed.success) {
    throw new TypeError(
      `Invalid contract ${JSON.stringify(contract.name)}: ${z.prettifyError(parsed.error)}`,
    );
  }
  return Object.freeze({ ...contract });
}

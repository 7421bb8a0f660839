import * as z from 'zod';
import { laneIssues, type LaneWeights, laneWeightsSchema } from './lane.ts';
import { reportOf } from './contract-schema.ts';
import { attempted } from './schema-checks.ts';
import { type RetryPolicy, retryPolicySchema } from './retry-policy.ts';
import { MAX_SCHEDULED_NAME_CHARACTERS, type Schedule, scheduleSchema } from './schedule.ts';
import { type TaskEndSchema, taskEndSchema } from './task-end.ts';

/**
 * What may be asked of a service: data only, shared by those who send the task and those who run it.
 *
 * @typeParam Payload - schema of what goes in
 * @typeParam Result - schema of what comes out
 * @typeParam Tracked - whether a task store keeps its state
 * @typeParam Lane - the names of its lanes
 */
export interface TaskContract<
  Payload extends z.ZodType = z.ZodType,
  Result extends z.ZodType = z.ZodType,
  Tracked extends boolean = boolean,
  Lane extends string = string,
> {
  /** The name on the wire, `domain.verb` in lower case. Never reused for another meaning. */
  readonly name: string;
  /**
   * Raised by one where the contract changes so that messages in flight, or services one version behind, do not go with
   * it; `npm run contracts` says when. A consumer whose contract has a lower version than a message puts the message
   * back as it does one of a task that it does not know. 1 to 1,000,000; default 1.
   */
  readonly version?: number;
  /** The queue that carries it, without the stage's prefix. */
  readonly queue: string;
  /**
   * The lanes of its queue, 2 to 8, each with a weight of 1 to 100: `{ high: 8, normal: 3, low: 1 }`. A sender chooses one
   * by `SendOptions.lane`. The first task of an idle lane gets the next free slot of a worker, whatever waits in other
   * lanes. While more than one lane has tasks waiting, they share slots by weight.
   *
   * Each lane but the default one is a queue of its own, `payments_high`, which follows from this line on AWS too.
   * Contracts on one queue that declare lanes declare the same. Ticks of a schedule go to the default lane.
   */
  readonly lanes?: LaneWeights<Lane>;
  /** The lane of tasks that are sent without one; its messages are in `queue` itself. Needed beside `lanes`. */
  readonly defaultLane?: NoInfer<Lane>;
  readonly payload: Payload;
  readonly result: Result;
  readonly retry: RetryPolicy;
  /** How long one attempt may take, in seconds. 1 to 43,200 (12 h, the longest that SQS hides a message). */
  readonly timeoutSeconds: number;
  /**
   * Where the handler runs. Left out: on its worker's event loop, which it must not block. `thread`: in a worker thread,
   * where it may burn CPU while its lease is renewed, and which is terminated where it ignores its signal within its grace.
   *
   * The handler is the same either way, and so is what becomes of what it gives, throws and leaves behind. A thread starts
   * in some tenths of a second, which count towards the time limit, and is kept for the next task. It is terminated later,
   * by 30 s at most, while an effect of the handler is under way. A function runs the handler in its own
   * process all the same, which Lambda ends by itself.
   */
  readonly isolation?: 'thread';
  /**
   * Whether a task store keeps the task's state, attempts and result, so that it can be asked after, waited for and
   * cancelled, and keeps its effects to one. Costs three writes a task. Default false.
   */
  readonly tracked?: Tracked;
  /**
   * When the task is to be run by itself, with the payload `{}`. Of tracked tasks only: that is how several workers
   * run it once.
   */
  readonly schedule?: Schedule;
  /**
   * The task that is told of every end of these: succeeded, failed, dead or cancelled, however that came about. Its
   * payload is `taskEndSchema`. Of tracked tasks only: the store knows how they ended.
   */
  readonly onEnd?: EndListener;
}

/** A contract whose tasks are told how others ended. */
export type EndListener = TaskContract<TaskEndSchema>;

/** A contract whose tasks a task store keeps. */
export type TrackedContract<
  Payload extends z.ZodType = z.ZodType,
  Result extends z.ZodType = z.ZodType,
  Lane extends string = string,
> = TaskContract<Payload, Result, true, Lane>;

/** A contract whose tasks are run by themselves. */
export type ScheduledContract = TrackedContract & { readonly schedule: Schedule };

/** Whether a task store keeps a contract's tasks. */
export function isTracked<Payload extends z.ZodType, Result extends z.ZodType, Lane extends string>(
  contract: TaskContract<Payload, Result, boolean, Lane>,
): contract is TrackedContract<Payload, Result, Lane> {
  return contract.tracked === true;
}

/** Whether a contract's tasks are run by themselves. */
export function isScheduled(contract: TaskContract): contract is ScheduledContract {
  return contract.schedule !== undefined;
}

/** The name of a contract: `domain.verb`, at most 128 characters. */
export const taskNameSchema = z
  .string()
  .max(128)
  .regex(/^[a-z0-9-]+(\.[a-z0-9-]+)+$/, 'expected domain.verb in lower case');

/** The version of a contract. */
export const versionSchema = z.int().min(1).max(1_000_000);

/** A schema whose values JSON carries, and that takes what it gives: a value is checked at both ends of its way. */
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
    payload: carriedSchema,
    result: carriedSchema,
    onEnd: z
      .custom<EndListener>(isEndListener, 'expected a contract whose payload is taskEndSchema')
      .optional(),
  })
  .refine(({ onEnd, tracked }) => !onEnd || tracked, {
    path: ['onEnd'],
    error: 'expected tracked: true, by which it is known how a task ended',
  })
  .superRefine((contract, context) => {
    for (const { path, message } of laneIssues(contract))
      context.addIssue({ code: 'custom', path: [path], message });
  })
  .superRefine(({ name, schedule, tracked, payload }, context) => {
    if (!schedule) return;
    const issue = (message: string): void =>
      context.addIssue({ code: 'custom', path: ['schedule'], message });
    if (!tracked) issue('expected tracked: true, by which several workers run a tick once');
    if (name.length > MAX_SCHEDULED_NAME_CHARACTERS)
      issue(
        `expected a name of at most ${MAX_SCHEDULED_NAME_CHARACTERS} characters, which is in each tick's task id`,
      );
    if (!attempted(() => payload.safeParse({}))?.result.success) issue('expected a payload that may be {}');
  });

/** Whether a contract's tasks can be told how others ended. */
export function isEndListener(contract: unknown): contract is EndListener {
  return (contract as Partial<EndListener> | undefined)?.payload === taskEndSchema;
}

/**
 * Defines a task. Types of payload and result flow from the schemas to `TaskClient.send` and to `implement`.
 *
 * A payload travels as JSON and is checked by its schema twice: where it is sent and where it is run. So a schema can have
 * no values that JSON cannot carry, and none that change a value each time, as transforms and codecs do. `trim` and its
 * like, defaults and z.coerce can be used: the second time they change nothing. Checks cannot be asynchronous. What z.lazy
 * and getters name is declared before the contract. Where a schema does not prove that it changes nothing more, such as one
 * with `check` or `superRefine`, each value is checked twice where it is sent, and refused if it changes again.
 *
 * @throws TypeError naming the field when a contract is out of its limits, at import, so that no process starts with it
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
      `Contract ${JSON.stringify(contract.name)} cannot be: ${z.prettifyError(parsed.error)}`,
    );
  }
  return Object.freeze({ ...contract });
}

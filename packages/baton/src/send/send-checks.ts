import { types } from 'node:util';
import { v5 as uuidv5, v7 as uuidv7 } from 'uuid';
import { isTaskId, MAX_DEPTH, taskIdSchema } from '../sqs/envelope.ts';
import { childOf, isTraceContext, startTrace, type TraceContext } from '../telemetry/trace-context.ts';
import { TooDeepError } from '../task/errors.ts';
import { subjectSchema } from '../task/task-end.ts';
import { InvalidValueError, shownValue, valueIssues } from '../task/invalid-value.ts';
import { MAX_DELAY_SECONDS } from '../sqs/queue-sender.ts';
import type { SendOptions } from '../task/send-task.ts';
import type { TaskContract } from '../task/task.ts';

/** The longest that a tracked task may be put off, in seconds: 14 days. */
export const MAX_TRACKED_DELAY_SECONDS = 1_209_600;

/** The namespace of the task ids that deduplication keys give. */
const KEYS = '3e1f7a52-8f3b-4f0e-9d55-6f1f0c2f8a10';
const MAX_KEY_CHARACTERS = 255;

/** A namespace for ids that follow from a task's id: a task id is any text, a namespace is a uuid. */
export function namespaceOf(taskId: string): string {
  return uuidv5(taskId, KEYS);
}

/** The id of a task: the caller's own, that of its deduplication key, or a new one. @throws InvalidValueError */
export function checkedTaskId({ taskId, deduplicationKey }: SendOptions, task: string): string {
  if (taskId !== undefined && deduplicationKey !== undefined)
    throw invalid('The task id cannot be', 'deduplicationKey', 'expected no taskId beside it');
  if (deduplicationKey !== undefined) {
    const isKey = typeof deduplicationKey === 'string' && deduplicationKey.length > 0;
    if (!isKey || deduplicationKey.length > MAX_KEY_CHARACTERS)
      throw invalid(
        'The task id cannot be',
        'deduplicationKey',
        `expected a text of 1 to ${MAX_KEY_CHARACTERS} characters, got ${shownValue(deduplicationKey)}`,
      );
    return uuidv5(`${task}\n${deduplicationKey}`, KEYS);
  }
  if (taskId === undefined) return uuidv7();
  const parsed = taskIdSchema.safeParse(taskId);
  if (!parsed.success) throw new InvalidValueError('The task id cannot be', valueIssues(parsed.error));
  return taskId;
}

/** Whether a task is put off. */
export function isDelayed({ delaySeconds, notBefore }: SendOptions): boolean {
  return delaySeconds !== undefined || notBefore !== undefined;
}

/** How long a task is put off. */
export interface Delay {
  /** In whole seconds; 0 where it is not. */
  readonly delaySeconds: number;
  /** The time when it may begin, ISO 8601. */
  readonly notBefore: string | undefined;
}

/**
 * How long a task is put off.
 *
 * @param nowMs - in milliseconds since 1970
 * @throws InvalidValueError where SQS or the contract do not allow it
 */
export function checkedDelay(contract: TaskContract, options: SendOptions, nowMs: number): Delay {
  const delaySeconds = checkedSeconds(contract, options, nowMs);
  // A tick's time is noted though it is past: the clock that says so may be wrong
  if (delaySeconds === 0 && !(contract.schedule && options.notBefore))
    return { delaySeconds, notBefore: undefined };
  const startMs = options.notBefore?.getTime() ?? nowMs + delaySeconds * 1000;
  return { delaySeconds, notBefore: new Date(startMs).toISOString() };
}

function checkedSeconds(
  { name, tracked }: TaskContract,
  { delaySeconds, notBefore }: SendOptions,
  nowMs: number,
): number {
  const what = 'The delay cannot be';
  if (delaySeconds !== undefined && notBefore !== undefined)
    throw invalid(what, 'notBefore', 'expected no delaySeconds beside it');
  if (notBefore !== undefined && !isValidDate(notBefore))
    throw invalid(what, 'notBefore', 'expected a valid Date of the years 0 to 9999');
  const path = notBefore === undefined ? 'delaySeconds' : 'notBefore';
  const given = delaySeconds === undefined ? 0 : delaySeconds;
  const seconds = notBefore === undefined ? given : secondsUntil(notBefore, nowMs);
  const most = tracked ? MAX_TRACKED_DELAY_SECONDS : MAX_DELAY_SECONDS;
  if (Number.isInteger(seconds) && seconds >= 0 && seconds <= most) return seconds;
  const why =
    !tracked && Number.isInteger(seconds) && seconds <= MAX_TRACKED_DELAY_SECONDS
      ? `; ${name} would have to be tracked for more`
      : '';
  throw invalid(what, path, `expected 0 to ${most} whole seconds, got ${shownValue(seconds)}${why}`);
}

/** Beyond these years ISO 8601 needs a sign, which no receiver takes. */
function isValidDate(time: unknown): boolean {
  return types.isDate(time) && !Number.isNaN(time.getTime()) && /^\d/.test(time.toISOString());
}

function secondsUntil(time: Date, nowMs: number): number {
  return Math.max(0, Math.ceil((time.getTime() - nowMs) / 1000));
}

/** What a task is about. @throws InvalidValueError when it is empty or too long */
export function checkedSubject({ subject }: SendOptions): string | undefined {
  if (subject === undefined) return undefined;
  const parsed = subjectSchema.safeParse(subject);
  if (!parsed.success) throw new InvalidValueError('The subject cannot be', valueIssues(parsed.error));
  return subject;
}

/** What led to a task, as it goes on the wire. */
export interface Links {
  readonly trace: TraceContext;
  readonly parentId: string | undefined;
  readonly depth: number;
}

/**
 * What led to a task.
 *
 * @throws InvalidValueError when one of them is not what a receiver takes, and TooDeepError
 */
export function checkedLinks(options: SendOptions, task: string): Links {
  const { trace, parentId } = options;
  if (trace !== undefined && !isTraceContext(trace))
    throw invalid(
      'The trace cannot be',
      'trace',
      'expected a traceId of 32 hexadecimal digits, a spanId of 16, and flags of 2, not all of an id 0',
    );
  if (parentId !== undefined && !isTaskId(parentId))
    throw invalid('The parent cannot be', 'parentId', `expected a task id, got ${shownValue(parentId)}`);
  const depth = checkedDepth(options, task);
  return { trace: trace === undefined ? startTrace() : childOf(trace), parentId, depth };
}

/**
 * How many tasks sent each other before one.
 *
 * @param further - so many steps of a chain or group are before it, beyond the first
 * @param place - where in the chain or group it is
 * @throws InvalidValueError when it is no count, and TooDeepError
 */
export function checkedDepth({ depth = 0 }: SendOptions, task: string, further = 0, place?: string): number {
  if (!Number.isInteger(depth) || depth < 0)
    throw invalid(
      'The depth cannot be',
      'depth',
      `expected a whole number from 0 to ${MAX_DEPTH}, got ${shownValue(depth)}`,
    );
  if (depth + further > MAX_DEPTH) throw new TooDeepError(task, MAX_DEPTH, place);
  return depth + further;
}

function invalid(what: string, path: string, message: string): InvalidValueError {
  return new InvalidValueError(what, [{ path, message }]);
}

// Checks the options of a send.
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

/** The longest delay of a tracked task, in seconds (14 days). */
export const MAX_TRACKED_DELAY_SECONDS = 1_209_600;
/** How far ahead of a receiver's time a task's start may be. The sender's clock may be ahead by a day. */
export const MAX_AHEAD_MS = (MAX_TRACKED_DELAY_SECONDS + 86_400) * 1000;

/** The namespace (RFC 9562) of the task ids that are derived from deduplication keys. */
const KEYS = '3e1f7a52-8f3b-4f0e-9d55-6f1f0c2f8a10';
const MAX_KEY_CHARACTERS = 255;

/** A namespace for ids that are derived from a task's id. A namespace must be a uuid; a task id may be another text. */
export function namespaceOf(taskId: string): string {
  return uuidv5(taskId, KEYS);
}

/**
 * The id of a task: the sender's, one derived from the deduplication key, or a new one.
 *
 * @throws InvalidValueError if the id or the key is invalid
 */
export function checkedTaskId({ taskId, deduplicationKey }: SendOptions, task: string): string {
  if (taskId !== undefined && deduplicationKey !== undefined)
    throw invalid('Invalid task id', 'deduplicationKey', 'expected no taskId beside it');
  if (deduplicationKey !== undefined) {
    const isKey = typeof deduplicationKey === 'string' && deduplicationKey.length > 0;
    if (!isKey || deduplicationKey.length > MAX_KEY_CHARACTERS)
      throw invalid(
        'Invalid task id',
        'deduplicationKey',
        `expected a text of 1 to ${MAX_KEY_CHARACTERS} characters, got ${shownValue(deduplicationKey)}`,
      );
    return uuidv5(`${task}\n${deduplicationKey}`, KEYS);
  }
  if (taskId === undefined) return uuidv7();
  const parsed = taskIdSchema.safeParse(taskId);
  if (!parsed.success) throw new InvalidValueError('Invalid task id', valueIssues(parsed.error));
  return taskId;
}

/** Whether a task has a delay. */
export function isDelayed({ delaySeconds, notBefore }: SendOptions): boolean {
  return delaySeconds !== undefined || notBefore !== undefined;
}

/** The delay of a task. */
export interface Delay {
  /** In whole seconds. 0 for none. */
  readonly delaySeconds: number;
  /** The earliest start time, ISO 8601. Undefined for none. */
  readonly notBefore: string | undefined;
}

/**
 * The delay of a task.
 *
 * @param nowMs - now, in milliseconds since 1970
 * @throws InvalidValueError if the delay is invalid, or longer than SQS or the contract allows
 */
export function checkedDelay(contract: TaskContract, options: SendOptions, nowMs: number): Delay {
  const delaySeconds = checkedSeconds(contract, options, nowMs);
  // A tick keeps its time even if it is past, because the clock that says so may be wrong
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
  const what = 'Invalid delay';
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
      ? `; only tracked tasks may have more, and ${name} is not tracked`
      : '';
  throw invalid(what, path, `expected 0 to ${most} whole seconds, got ${shownValue(seconds)}${why}`);
}

/** Whether a value is a date of the years 0 to 9999. Other years have a sign in ISO 8601, which receivers refuse. */
function isValidDate(time: unknown): boolean {
  return types.isDate(time) && !Number.isNaN(time.getTime()) && /^\d/.test(time.toISOString());
}

function secondsUntil(time: Date, nowMs: number): number {
  return Math.max(0, Math.ceil((time.getTime() - nowMs) / 1000));
}

/** The subject of a task. @throws InvalidValueError if it is empty or too long */
export function checkedSubject({ subject }: SendOptions): string | undefined {
  if (subject === undefined) return undefined;
  const parsed = subjectSchema.safeParse(subject);
  if (!parsed.success) throw new InvalidValueError('Invalid subject', valueIssues(parsed.error));
  return subject;
}

/** The trace and the senders of a task, as its envelope carries them. */
export interface Links {
  readonly trace: TraceContext;
  readonly parentId: string | undefined;
  readonly depth: number;
}

/**
 * Checks the trace, the parent and the depth of a task. Starts a new trace if there is none.
 *
 * @throws InvalidValueError if one of them is invalid
 * @throws TooDeepError if too many tasks sent each other before this one
 */
export function checkedLinks(options: SendOptions, task: string): Links {
  const { trace, parentId } = options;
  if (trace !== undefined && !isTraceContext(trace))
    throw invalid(
      'Invalid trace',
      'trace',
      'expected a traceId of 32 hexadecimal digits, a spanId of 16, and flags of 2; no id may be all zeros',
    );
  if (parentId !== undefined && !isTaskId(parentId))
    throw invalid('Invalid parent', 'parentId', `expected a task id, got ${shownValue(parentId)}`);
  const depth = checkedDepth(options, task);
  return { trace: trace === undefined ? startTrace() : childOf(trace), parentId, depth };
}

/**
 * The depth of a task: how many tasks sent each other before it.
 *
 * @param further - how many tasks of its chain or group come between the sender and this task. Default 0
 * @param place - the task's place in its chain or group, for the error
 * @throws InvalidValueError if the depth is invalid
 * @throws TooDeepError if it is too large
 */
export function checkedDepth({ depth = 0 }: SendOptions, task: string, further = 0, place?: string): number {
  if (!Number.isInteger(depth) || depth < 0)
    throw invalid(
      'Invalid depth',
      'depth',
      `expected a whole number from 0 to ${MAX_DEPTH}, got ${shownValue(depth)}`,
    );
  if (depth + further > MAX_DEPTH) throw new TooDeepError(task, MAX_DEPTH, place);
  return depth + further;
}

function invalid(what: string, path: string, message: string): InvalidValueError {
  return new InvalidValueError(what, [{ path, message }]);
}

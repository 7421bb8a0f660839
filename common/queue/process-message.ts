import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../telemetry/logger.ts';
import { startTrace, type TraceContext } from '../telemetry/trace-context.ts';
import { effectOf } from './effect.ts';
import { decodeEnvelope, type Envelope } from './envelope.ts';
import {
  AttemptsCrashedError,
  DeafHandlerError,
  InvalidValueError,
  type MalformedEnvelopeError,
  TaskNotDueError,
  TaskTimeoutError,
  UnknownTaskError,
} from './errors.ts';
import type { Implementation, Implementations, TaskContext, WorkerIdentity } from './implementation.ts';
import { OLD_MESSAGE_SECONDS, type Outcome, outcomeOfBody, outcomeOfFailure } from './outcome.ts';
import type { ReceivedMessage } from './received-message.ts';
import { retryDelaySeconds } from './retry-policy.ts';
import type { SendTask } from './task-client.ts';
import type { HandlerRun, Threads } from './threads.ts';
import { type Claim, isClaim, type TaskTracker } from './tracking.ts';
import { valueIssues } from './value-issues.ts';

/** A thread ends within milliseconds, unless it is inside native code. */
const TERMINATION_MS = 2000;
const MANY_RECEIVES = 20;
const UNKNOWN_TASK_RETRY = { maxAttempts: 1, baseSeconds: 10, capSeconds: 60 };

/** What a process runs messages with. */
export interface Processing {
  readonly implementations: Implementations;
  readonly send: SendTask;
  readonly logger: Logger;
  readonly worker: WorkerIdentity;
  /** How long a task that nobody here implements is put back, in seconds since it was sent; then it is a dead letter. */
  readonly unknownTaskPatienceSeconds: number;
  /**
   * How long a handler may go on after its signal aborted, in seconds; then its outcome is decided without it, and its
   * thread is terminated where it has one.
   */
  readonly abortGraceSeconds: number;
  /** Keeps the state of tracked tasks; needed where one of them is implemented. */
  readonly tracker?: TaskTracker | undefined;
  /** Where handlers of the isolation `thread` run. Default: in this process, as all others. */
  readonly threads?: Threads | undefined;
}

/** A process's hold on a message while it runs. */
export interface Hold {
  /** Aborts when the lease is lost or the worker must stop; a handler that then fails is released. */
  readonly signal: AbortSignal;
  /** Called when a handler heeds no signal and its outcome is decided without it; `handler` settles when it ends. */
  outlivedBy(handler: Promise<unknown>): void;
}

/**
 * Makes one attempt at a message and says what is to become of it. It settles nothing and never throws: whatever
 * the message holds and the handler does is an outcome.
 *
 * @param queue - the queue's name, for the log
 */
export async function processMessage(
  message: ReceivedMessage,
  queue: string,
  hold: Hold,
  processing: Processing,
): Promise<Outcome> {
  const line = processing.logger.child({
    queue,
    messageId: message.messageId,
    attempt: message.receiveCount,
  });
  let envelope: Envelope;
  try {
    envelope = decodeEnvelope(message.body);
  } catch (error) {
    return logged(line, outcomeOfBody(error as MalformedEnvelopeError), 'message');
  }
  const trace = envelope.trace ?? startTrace();
  const logger = line.child({ task: envelope.task, taskId: envelope.taskId, traceId: trace.traceId });
  const implementation = processing.implementations.find(envelope.task);
  // Of a later version than this process knows, the payload cannot be judged here
  if (!implementation || (envelope.version ?? 1) > (implementation.contract.version ?? 1))
    return logged(logger, outcomeOfUnknown(envelope, message, processing), envelope.task);

  const early = outcomeOfEarly(envelope, message, implementation);
  if (early) return logged(logger, goingOn(early, message), envelope.task);
  const claimed = await claimOf(message, envelope, implementation, processing);
  if (claimed && !isClaim(claimed)) return logged(logger, goingOn(claimed, message), envelope.task);

  const { taskId } = envelope;
  const links = { trace, parentId: taskId };
  const context = {
    taskId,
    attempt: claimed?.attempt ?? message.receiveCount,
    maxAttempts: implementation.contract.retry.maxAttempts,
    logger: claimed ? logger.child({ attempt: claimed.attempt }) : logger,
    send: ((contract, payload, options) =>
      processing.send(contract, payload, { ...links, ...options })) as SendTask,
    worker: processing.worker,
    ...(claimed && { progress: claimed.progress.bind(claimed), effect: effectOf(claimed, taskId) }),
  };
  const startedAtMs = performance.now();
  const { sentAtMs } = message;
  const making = { implementation, data: envelope.data, sentAtMs, trace, context, claim: claimed };
  const decided = await attempt(making, hold, processing);
  const outcome = claimed ? goingOn(await claimed.conclude(decided), message) : decided;
  return logged(context.logger, outcome, envelope.task, Math.round(performance.now() - startedAtMs));
}

/**
 * A tracked task's message that SQS has handed out often goes on in a copy: else SQS would set it aside without a
 * reason, at the queues' `maxReceiveCount` of 30. The store counts attempts, so nothing starts anew by that.
 */
function goingOn(outcome: Outcome, { receiveCount }: ReceivedMessage): Outcome {
  const waits = outcome.kind === 'retry' || outcome.kind === 'release';
  return waits && receiveCount >= MANY_RECEIVES ? { ...outcome, anew: true } : outcome;
}

/** A tracked task whose time has not come is put back until then, at most as long as SQS hides a message. */
function outcomeOfEarly(
  { notBefore }: Envelope,
  { sentAtMs }: ReceivedMessage,
  { contract: { name, tracked } }: Implementation,
): Outcome | undefined {
  const leftMs = tracked && notBefore !== undefined ? Date.parse(notBefore) - Date.now() : 0;
  if (leftMs <= 0) return undefined;
  const delaySeconds = Math.ceil(leftMs / 1000);
  const ageSeconds = (Date.now() - sentAtMs) / 1000;
  const error = new TaskNotDueError(name, String(notBefore));
  return { kind: 'release', error, delaySeconds, anew: ageSeconds > OLD_MESSAGE_SECONDS };
}

async function claimOf(
  message: ReceivedMessage,
  envelope: Envelope,
  { contract }: Implementation,
  { tracker, worker }: Processing,
): Promise<Claim | Outcome | undefined> {
  if (!contract.tracked) return undefined;
  // Whoever runs tracked tasks is refused at its start where it has no tracker
  if (!tracker) throw new TypeError(`${contract.name} is a tracked task, and there is no task store here`);
  return tracker.claim({ message, envelope, contract, owner: worker.id });
}

interface Attempt {
  readonly implementation: Implementation;
  readonly data: unknown;
  readonly sentAtMs: number;
  readonly trace: TraceContext;
  readonly context: Omit<TaskContext, 'signal'>;
  /** A tracked task's. */
  readonly claim: Claim | undefined;
}

async function attempt(making: Attempt, hold: Hold, processing: Processing): Promise<Outcome> {
  const { context, claim } = making;
  const { contract } = making.implementation;
  if (claim && claim.attempt > contract.retry.maxAttempts) {
    const error = new AttemptsCrashedError(contract.name, contract.retry.maxAttempts);
    return { kind: 'dead-letter', reason: 'attempts-exhausted', error };
  }
  const payload = contract.payload.safeParse(making.data);
  if (!payload.success) {
    const error = new InvalidValueError(
      `The payload breaks the contract ${contract.name}`,
      valueIssues(payload.error),
    );
    return outcomeOfBody(error);
  }
  const timeLimit = new AbortController();
  const { name, timeoutSeconds } = contract;
  const timer = setTimeout(
    () => timeLimit.abort(new TaskTimeoutError(name, timeoutSeconds)),
    timeoutSeconds * 1000,
  );
  const ends = [hold.signal, ...(claim ? [claim.signal] : [])];
  const signal = AbortSignal.any([...ends, timeLimit.signal]);
  const handler = startHandler(making, payload.data, signal, processing.threads);
  try {
    const result = await unlessDeaf(handler.ended, signal, processing.abortGraceSeconds);
    return { kind: 'done', result: checkedResult(contract, result) };
  } catch (error) {
    if (error instanceof DeafHandlerError && !(await terminated(handler))) {
      context.logger.error({ error }, `${contract.name} heeds no signal and still runs`);
      hold.outlivedBy(handler.ended);
    }
    const ended = ends.find(({ aborted }) => aborted);
    if (ended) return { kind: 'release', error: ended.reason as Error };
    const failed = { contract, attempt: context.attempt, sentAtMs: making.sentAtMs };
    return outcomeOfFailure(failed, timeLimit.signal.aborted ? timeLimit.signal.reason : error);
  } finally {
    clearTimeout(timer);
  }
}

function startHandler(
  { implementation: { contract, run }, data, trace, context, claim }: Attempt,
  payload: unknown,
  signal: AbortSignal,
  threads: Threads | undefined,
): HandlerRun {
  if (threads && contract.isolation === 'thread')
    return threads.run({ task: contract.name, data, trace, context: { ...context, signal }, claim });
  return { ended: (async () => run(payload, { ...context, signal }))() };
}

/** Ends a handler by force, where that can be done; resolves to whether it is gone. */
async function terminated({ ended, terminate }: HandlerRun): Promise<boolean> {
  if (!terminate) return false;
  terminate();
  const timer = new AbortController();
  const late = sleep(TERMINATION_MS, false, { signal: timer.signal }).catch(() => false);
  const gone = ended.then(
    () => true,
    () => true,
  );
  return Promise.race([gone, late]).finally(() => timer.abort());
}

/** The handler's result. @throws DeafHandlerError when it goes on for so long after its signal aborted */
async function unlessDeaf(
  handler: Promise<unknown>,
  signal: AbortSignal,
  graceSeconds: number,
): Promise<unknown> {
  const { promise: deaf, reject } = Promise.withResolvers<never>();
  let timer: NodeJS.Timeout | undefined;
  const onAbort = (): void => {
    timer = setTimeout(() => reject(new DeafHandlerError(graceSeconds)), graceSeconds * 1000);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    return await Promise.race([handler, deaf]);
  } finally {
    signal.removeEventListener('abort', onAbort);
    clearTimeout(timer);
  }
}

function checkedResult({ name, result: schema }: Implementation['contract'], result: unknown): unknown {
  const parsed = schema.safeParse(result);
  if (parsed.success) return parsed.data;
  throw new InvalidValueError(`The result of ${name} breaks its contract`, valueIssues(parsed.error));
}

/** A rolling deploy may still bring the implementation: another worker may have it, or this one's successor. */
function outcomeOfUnknown(envelope: Envelope, message: ReceivedMessage, processing: Processing): Outcome {
  const error = new UnknownTaskError(envelope.task, envelope.version);
  const ageSeconds = (Date.now() - message.sentAtMs) / 1000;
  if (ageSeconds >= processing.unknownTaskPatienceSeconds)
    return { kind: 'dead-letter', reason: 'unknown-task', error };
  return { kind: 'retry', delaySeconds: retryDelaySeconds(UNKNOWN_TASK_RETRY, message.receiveCount), error };
}

function logged(logger: Logger, outcome: Outcome, what: string, durationMs?: number): Outcome {
  switch (outcome.kind) {
    case 'done':
      logger.info({ durationMs }, `${what} done`);
      break;
    case 'retry':
      logger.warn(
        { durationMs, delaySeconds: outcome.delaySeconds, error: outcome.error },
        `${what} will be tried again`,
      );
      break;
    case 'dead-letter':
      logger.error(
        { durationMs, reason: outcome.reason, error: outcome.error },
        `${what} is a dead letter: ${outcome.reason}`,
      );
      break;
    case 'release':
      logger.info({ durationMs, error: outcome.error }, `${what} released`);
      break;
  }
  return outcome;
}

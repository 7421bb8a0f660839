import type { Logger } from '../telemetry/logger.ts';
import { startTrace } from '../telemetry/trace-context.ts';
import { decodeEnvelope, type Envelope } from './envelope.ts';
import {
  InvalidValueError,
  type MalformedEnvelopeError,
  TaskTimeoutError,
  UnknownTaskError,
} from './errors.ts';
import type { Implementation, Implementations, TaskContext, WorkerIdentity } from './implementation.ts';
import { type Outcome, outcomeOfBody, outcomeOfFailure } from './outcome.ts';
import type { ReceivedMessage } from './received-message.ts';
import { retryDelaySeconds } from './retry-policy.ts';
import type { SendTask } from './task-client.ts';
import { valueIssues } from './value-issues.ts';

const UNKNOWN_TASK_RETRY = { maxAttempts: 1, baseSeconds: 10, capSeconds: 60 };

/** What a process runs messages with. */
export interface Processing {
  readonly implementations: Implementations;
  readonly send: SendTask;
  readonly logger: Logger;
  readonly worker: WorkerIdentity;
  /** How long a task that nobody here implements is put back, in seconds since it was sent; then it is a dead letter. */
  readonly unknownTaskPatienceSeconds: number;
}

/**
 * Makes one attempt at a message and says what is to become of it. It settles nothing and never throws: whatever
 * the message holds and the handler does is an outcome.
 *
 * @param queue - the queue's name, for the log
 * @param signal - aborts when the lease is lost or the worker must stop; a handler that then fails is released
 */
export async function processMessage(
  message: ReceivedMessage,
  queue: string,
  signal: AbortSignal,
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
  if (!implementation) return logged(logger, outcomeOfUnknown(envelope, message, processing), envelope.task);

  const context = {
    taskId: envelope.taskId,
    attempt: message.receiveCount,
    maxAttempts: implementation.contract.retry.maxAttempts,
    logger,
    send: ((contract, payload, options) =>
      processing.send(contract, payload, { trace, ...options })) as SendTask,
    worker: processing.worker,
  };
  const startedAtMs = performance.now();
  const outcome = await attempt(implementation, envelope.data, context, signal);
  return logged(logger, outcome, envelope.task, Math.round(performance.now() - startedAtMs));
}

async function attempt(
  { contract, run }: Implementation,
  data: unknown,
  context: Omit<TaskContext, 'signal'>,
  signal: AbortSignal,
): Promise<Outcome> {
  const payload = contract.payload.safeParse(data);
  if (!payload.success) {
    const error = new InvalidValueError(
      `The payload breaks the contract ${contract.name}`,
      valueIssues(payload.error),
    );
    return outcomeOfBody(error);
  }

  const timeLimit = new AbortController();
  const timeout = new TaskTimeoutError(contract.name, contract.timeoutSeconds);
  const timer = setTimeout(() => timeLimit.abort(timeout), contract.timeoutSeconds * 1000);
  try {
    const result = await run(payload.data, {
      ...context,
      signal: AbortSignal.any([signal, timeLimit.signal]),
    });
    return { kind: 'done', result: checkedResult(contract, result) };
  } catch (error) {
    if (signal.aborted) return { kind: 'release', error: signal.reason as Error };
    return outcomeOfFailure(contract, context.attempt, timeLimit.signal.aborted ? timeout : error);
  } finally {
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
  const error = new UnknownTaskError(envelope.task);
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

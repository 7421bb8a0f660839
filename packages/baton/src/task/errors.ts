import { readThrown } from '../telemetry/thrown.ts';
import { type OptionalRest, type Rest, readRest } from '../time/rest.ts';

/**
 * The root of every error of a task: what sending it, running it, waiting for it and keeping its state throws, from this
 * library's own classes. Errors that say nothing about a task have other roots: ConfigError, Problem, BrokenAnswerError.
 */
export class TaskError extends Error {
  override readonly name: string = 'TaskError';
}

/**
 * Thrown by a handler on purpose: try me again, after a rest of the handler's choice.
 * It uses up an attempt, as any failure does.
 *
 * @example
 * const response = await fetch(url, { signal });
 * if (response.status === 429)
 *   throw new RetryTask('Too many requests', { retryAfter: response.headers.get('retry-after') });
 */
export class RetryTask extends TaskError {
  override readonly name = 'RetryTask';
  /** The rest in seconds. The contract's retry policy decides when it is left out or cannot be used. */
  readonly delaySeconds: number | undefined;
  /** Why the rest cannot be used: an invalid Date, say, or a Retry-After that is missing. It stands in the log. */
  readonly unusableRest: string | undefined;

  constructor(message: string, options: ErrorOptions & OptionalRest = {}) {
    super(message, options);
    const { delaySeconds, unusableRest } = readRest(options);
    this.delaySeconds = delaySeconds;
    this.unusableRest = unusableRest;
  }
}

/**
 * Thrown by a handler on purpose: not now, and this does not count as an attempt. For what the task cannot help, such as
 * a server that is known to be away.
 *
 * The message is shown again after the rest, as often as it likes. It goes on in a copy before SQS sets it aside for the
 * number of its receives.
 *
 * A task that is postponed 5 days after SQS took it first is a dead letter, `attempts-exhausted`, for SQS would soon
 * forget it.
 */
export class PostponeTask extends TaskError {
  override readonly name = 'PostponeTask';
  /** The rest in seconds. The contract's retry policy decides when what was given cannot be used. */
  readonly delaySeconds: number | undefined;
  /** As of RetryTask. */
  readonly unusableRest: string | undefined;

  constructor(message: string, options: ErrorOptions & Rest) {
    super(message, options);
    const { delaySeconds, unusableRest } = readRest(options);
    this.delaySeconds = delaySeconds;
    this.unusableRest = unusableRest;
  }
}

/** Thrown by a handler on purpose: no attempt can succeed. The message becomes a dead letter at once. */
export class RejectTask extends TaskError {
  override readonly name = 'RejectTask';
}

/** The contract's time limit passed. The handler's signal was aborted with this error. */
export class TaskTimeoutError extends TaskError {
  override readonly name = 'TaskTimeoutError';

  constructor(task: string, timeoutSeconds: number) {
    super(`${task} took longer than its limit of ${timeoutSeconds} s`);
  }
}

/** A handler went on for longer than its grace after its signal aborted. */
export class UnresponsiveHandlerError extends TaskError {
  override readonly name = 'UnresponsiveHandlerError';

  constructor(graceSeconds: number) {
    super(`The handler goes on ${graceSeconds} s after its signal aborted`);
  }
}

/** A message body that is not JSON, or no envelope. */
export class MalformedEnvelopeError extends TaskError {
  override readonly name = 'MalformedEnvelopeError';
}

/** Nobody here implements the task that a message names, in its version. */
export class UnknownTaskError extends TaskError {
  override readonly name = 'UnknownTaskError';

  constructor(task: string, version = 1) {
    const which = version > 1 ? `, version ${version},` : '';
    super(`No implementation of the task ${task}${which} in this process`);
  }
}

/** The time has not come for a task that is not to be run before it. */
export class TaskNotDueError extends TaskError {
  override readonly name = 'TaskNotDueError';

  constructor(task: string, notBefore: string) {
    super(`${task} is not to be run before ${notBefore}`);
  }
}

/** A task's workers died while it ran, too often for one more attempt: it probably kills them. */
export class AttemptsCrashedError extends TaskError {
  override readonly name = 'AttemptsCrashedError';

  constructor(task: string, crashes: number) {
    super(`${task} is given up: its worker died ${crashes} times while it ran`);
  }
}

/** An untracked message was received too often for one more attempt: its workers probably die of it. */
export class ReceivedTooOftenError extends TaskError {
  override readonly name = 'ReceivedTooOftenError';

  constructor(task: string, receives: number, maxAttempts: number) {
    super(
      `${task} is given up: it was received ${receives} times, its contract allows ${maxAttempts} attempts; its workers ` +
        'probably died while it ran',
    );
  }
}

/**
 * A handler left an error that its own promise does not carry: a rejected promise that it did not wait for, or a throw
 * in a timer or an event. `cause` is that error.
 */
export class StrayError extends TaskError {
  override readonly name = 'StrayError';

  constructor(task: string, origin: 'unhandledRejection' | 'uncaughtException', cause: unknown) {
    const { name, message } = readThrown(cause);
    const how =
      origin === 'unhandledRejection'
        ? 'a promise that it does not wait for was rejected'
        : 'a timer or an event that it had set up threw';
    super(`The handler of ${task} left an error that nothing caught; ${how}: ${name}: ${message}`, { cause });
  }
}

/** A handler tried to end the process that runs it, and with it all other tasks there. */
export class ProcessEndError extends TaskError {
  override readonly name = 'ProcessEndError';

  /** @param call - what it called, such as `process.exit(1)` */
  constructor(task: string, call: string) {
    super(
      `The handler of ${task} called ${call}; a handler must not end its process, throw an error instead`,
    );
  }
}

/** SQS did not take a task. */
export class SendError extends TaskError {
  override readonly name: string = 'SendError';
  /** True where the same send may succeed later: SQS unreachable, busy or broken. False where it never will. */
  readonly transient: boolean;

  constructor(message: string, options: ErrorOptions & { readonly transient: boolean }) {
    super(message, options);
    this.transient = options.transient;
  }
}

/** A task is more than SQS takes in one message. Nothing was sent. */
export class TaskTooLargeError extends SendError {
  override readonly name = 'TaskTooLargeError';

  constructor(task: string, bytes: number, maxBytes: number) {
    super(`${task} is ${bytes} bytes long, SQS takes ${maxBytes}`, { transient: false });
  }
}

/** Too many tasks have sent each other, which looks as if it would never end. Nothing was sent. */
export class TooDeepError extends SendError {
  override readonly name = 'TooDeepError';

  /** @param place - where in a chain or group the task is */
  constructor(task: string, maxDepth: number, place = '') {
    super(
      `${task}${place && `, ${place},`} would be sent by the last of ${maxDepth} tasks that sent each other, which is the most that is allowed: expected an end, or a schedule`,
      { transient: false },
    );
  }
}

/** A task id, or a deduplication key, belongs to another task or to another payload. Nothing was sent. */
export class TaskConflictError extends TaskError {
  override readonly name = 'TaskConflictError';
}

/** A tracked task was cancelled. A running handler's signal aborts with this error. */
export class TaskCancelledError extends TaskError {
  override readonly name = 'TaskCancelledError';

  constructor(taskId: string) {
    super(`The task ${taskId} was cancelled`);
  }
}

/** Another attempt at a tracked task has begun, or may have: this one can write nothing any more. */
export class ClaimLostError extends TaskError {
  override readonly name = 'ClaimLostError';
}

/**
 * An effect, a send or a child of an attempt did not begin because the attempt is over. `cause` says why: the time limit
 * (TaskTimeoutError), a cancellation (TaskCancelledError), a lost claim (ClaimLostError) or lease (LeaseLostError), a
 * worker that stops, or an outcome that was already decided (OutcomeDecidedError).
 */
export class AttemptOverError extends TaskError {
  override readonly name = 'AttemptOverError';

  constructor(
    what: string,
    attempt: { readonly task: string; readonly taskId: string; readonly attempt: number },
    why: Error,
  ) {
    const { task, taskId, attempt: number } = attempt;
    super(`Attempt ${number} at ${task} (task ${taskId}) is over, so ${what} did not begin: ${why.message}`, {
      cause: why,
    });
  }
}

/** The outcome of an attempt was decided, though something of its handler still runs. */
export class OutcomeDecidedError extends TaskError {
  override readonly name = 'OutcomeDecidedError';

  constructor() {
    super('its outcome is already decided');
  }
}

/** A handler has used one key for two effects of one attempt: the second would have got the result of the first. */
export class EffectUsedTwiceError extends TaskError {
  override readonly name = 'EffectUsedTwiceError';

  constructor(key: string, task: string, taskId: string) {
    super(
      `The effect ${JSON.stringify(key)} was used twice in one attempt at ${task} (task ${taskId}); expected a key of its own for each effect`,
    );
  }
}

/** The row of a task is gone from the task store, and with it what follows the task in its chain or group. */
export class FlowLostError extends TaskError {
  override readonly name = 'FlowLostError';

  constructor(taskId: string, end: { readonly task: string; readonly taskId: string }) {
    super(
      `The task store has lost the row of the task ${taskId}, and with it what leads from there to ${end.task} (${end.taskId})`,
    );
  }
}

/** A tracked task did not succeed: what whoever waits for its result gets. */
export class TaskFailedError extends TaskError {
  override readonly name = 'TaskFailedError';
  readonly taskId: string;
  /** Why it was set aside, such as `rejected` or `attempts-exhausted`. */
  readonly reason: string;
  /** The name of the error that the last attempt failed with. */
  readonly errorName: string;

  constructor(
    taskId: string,
    failure: { readonly name: string; readonly message: string; readonly reason: string },
  ) {
    super(`The task ${taskId} did not succeed (${failure.reason}): ${failure.message}`);
    this.taskId = taskId;
    this.reason = failure.reason;
    this.errorName = failure.name;
  }
}

/** A tracked task has not ended within the time that somebody waited for its result. It goes on. */
export class ResultTimeoutError extends TaskError {
  override readonly name = 'ResultTimeoutError';

  constructor(taskId: string, timeoutSeconds: number, state: string, options?: ErrorOptions) {
    super(`The task ${taskId} has not ended within ${timeoutSeconds} s; it is ${state}`, options);
  }
}

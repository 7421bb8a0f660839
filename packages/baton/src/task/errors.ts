// The errors of tasks: those that handlers throw on purpose, and those of sends, attempts and waits for results.
import { readThrown } from '../telemetry/thrown.ts';
import { type OptionalRest, type Rest, readRest } from '../time/rest.ts';

/**
 * The root of all errors of this library that are about a task: sending it, running it, waiting for it or keeping its
 * state. ConfigError, Problem and BrokenAnswerError are not about a task and have other roots.
 */
export class TaskError extends Error {
  override readonly name: string = 'TaskError';
}

/**
 * Thrown by a handler to fail the attempt and to choose the rest before the next one. Uses up an attempt, like any failure.
 *
 * @example
 * const response = await fetch(url, { signal });
 * if (response.status === 429)
 *   throw new RetryTask('Too many requests', { retryAfter: response.headers.get('retry-after') });
 */
export class RetryTask extends TaskError {
  override readonly name = 'RetryTask';
  /** The rest in seconds. The contract's retry policy decides if it is undefined. */
  readonly delaySeconds: number | undefined;
  /** Why the given rest cannot be used, for example an invalid Date or a missing Retry-After header. It is logged. */
  readonly unusableRest: string | undefined;

  constructor(message: string, options: ErrorOptions & OptionalRest = {}) {
    super(message, options);
    const { delaySeconds, unusableRest } = readRest(options);
    this.delaySeconds = delaySeconds;
    this.unusableRest = unusableRest;
  }
}

/**
 * Thrown by a handler to run the task later without using up an attempt. Use it if the task cannot succeed for now through
 * no fault of its own, for example while a server is known to be away.
 *
 * A task can be postponed any number of times. It continues in a copy before SQS would dead-letter its message because of
 * too many receives. A task that is postponed 5 days after its first send becomes a dead letter with the reason
 * `attempts-exhausted`, because SQS would soon delete the message.
 */
export class PostponeTask extends TaskError {
  override readonly name = 'PostponeTask';
  /** The rest in seconds. The contract's retry policy decides if it is undefined. */
  readonly delaySeconds: number | undefined;
  /** Why the given rest cannot be used. It is logged. */
  readonly unusableRest: string | undefined;

  constructor(message: string, options: ErrorOptions & Rest) {
    super(message, options);
    const { delaySeconds, unusableRest } = readRest(options);
    this.delaySeconds = delaySeconds;
    this.unusableRest = unusableRest;
  }
}

/** Thrown by a handler if no attempt can succeed. The message becomes a dead letter at once. */
export class RejectTask extends TaskError {
  override readonly name = 'RejectTask';
}

/** The contract's time limit passed. The handler's signal aborts with this error. */
export class TaskTimeoutError extends TaskError {
  override readonly name = 'TaskTimeoutError';

  constructor(task: string, timeoutSeconds: number) {
    super(`${task} exceeded its time limit: expected at most ${timeoutSeconds} s`);
  }
}

/** An unresponsive handler: it went on for longer than its grace period after its signal aborted. */
export class UnresponsiveHandlerError extends TaskError {
  override readonly name = 'UnresponsiveHandlerError';

  constructor(graceSeconds: number) {
    super(`The handler still runs ${graceSeconds} s after its signal aborted`);
  }
}

/** A message body is not JSON, or not an envelope. */
export class MalformedEnvelopeError extends TaskError {
  override readonly name = 'MalformedEnvelopeError';
}

/** This process has no implementation of the task that a message names, or only of a lower version. */
export class UnknownTaskError extends TaskError {
  override readonly name = 'UnknownTaskError';

  constructor(task: string, version = 1) {
    const which = version > 1 ? `, version ${version},` : '';
    super(`This process has no implementation of the task ${task}${which}`);
  }
}

/** A task was received before its start time. */
export class TaskNotDueError extends TaskError {
  override readonly name = 'TaskNotDueError';

  constructor(task: string, notBefore: string) {
    super(`${task} must not run before ${notBefore}`);
  }
}

/** A tracked task's workers died while it ran, too often for another attempt: it probably kills them. */
export class AttemptsCrashedError extends TaskError {
  override readonly name = 'AttemptsCrashedError';

  constructor(task: string, crashes: number) {
    super(`${task} is given up: its worker died ${crashes} times while it ran`);
  }
}

/** An untracked message was received too often for another attempt: it probably kills its workers. */
export class ReceivedTooOftenError extends TaskError {
  override readonly name = 'ReceivedTooOftenError';

  constructor(task: string, receives: number, maxAttempts: number) {
    super(
      `${task} is given up: it was received ${receives} times, but its contract allows ${maxAttempts} attempts; its ` +
        'workers probably died while it ran',
    );
  }
}

/**
 * An uncaught error of a handler: a promise was rejected that it did not await, or its timer or event listener threw.
 * `cause` is that error.
 */
export class StrayError extends TaskError {
  override readonly name = 'StrayError';

  constructor(task: string, origin: 'unhandledRejection' | 'uncaughtException', cause: unknown) {
    const { name, message } = readThrown(cause);
    const how =
      origin === 'unhandledRejection'
        ? 'a promise that it did not await was rejected'
        : 'its timer or event listener threw';
    super(`Uncaught error of the handler of ${task}; ${how}: ${name}: ${message}`, { cause });
  }
}

/** A handler tried to end its process, and with it all other tasks that run there. */
export class ProcessEndError extends TaskError {
  override readonly name = 'ProcessEndError';

  /** @param call - the call, such as `process.exit(1)` */
  constructor(task: string, call: string) {
    super(
      `The handler of ${task} called ${call}; a handler must not end its process: expected it to throw an error`,
    );
  }
}

/** SQS did not accept a task. */
export class SendError extends TaskError {
  override readonly name: string = 'SendError';
  /** Whether the same send may succeed later: SQS was unreachable, busy or broken. */
  readonly transient: boolean;

  constructor(message: string, options: ErrorOptions & { readonly transient: boolean }) {
    super(message, options);
    this.transient = options.transient;
  }
}

/** A task is larger than its contract or SQS allows, or has too many levels or values. Nothing was sent. */
export class TaskTooLargeError extends SendError {
  override readonly name = 'TaskTooLargeError';

  /** @param what - what is too large, and what is expected */
  constructor(task: string, what: string) {
    super(`${task} is too large: ${what}`, { transient: false });
  }
}

/** A message is larger than the contracts of this process allow, or has too many levels or values. Its payload was not read. */
export class MessageTooLargeError extends TaskError {
  override readonly name = 'MessageTooLargeError';

  /** @param what - what is too large, and what is expected */
  constructor(what: string) {
    super(`The message is too large: ${what}`);
  }
}

/** Too many tasks have sent each other, probably in an endless loop. Nothing was sent. */
export class TooDeepError extends SendError {
  override readonly name = 'TooDeepError';

  /** @param place - where the task is in a chain or group */
  constructor(task: string, maxDepth: number, place = '') {
    super(
      `${task}${place && `, ${place},`} would be sent by the last of ${maxDepth} tasks that sent each other: expected at most ${maxDepth} (end the chain of sends, or use a schedule)`,
      { transient: false },
    );
  }
}

/** A task id or deduplication key belongs to another task or another payload. Nothing was sent. */
export class TaskConflictError extends TaskError {
  override readonly name = 'TaskConflictError';
}

/** A tracked task was cancelled. The signal of a running handler aborts with this error. */
export class TaskCancelledError extends TaskError {
  override readonly name = 'TaskCancelledError';

  constructor(taskId: string) {
    super(`The task ${taskId} was cancelled`);
  }
}

/** Another attempt at a tracked task has started, or may have. This attempt can write nothing any more. */
export class ClaimLostError extends TaskError {
  override readonly name = 'ClaimLostError';
}

/**
 * An effect or a send did not begin because its attempt is over. `cause` says why: the time limit (TaskTimeoutError), a
 * cancellation (TaskCancelledError), a lost claim (ClaimLostError) or lease (LeaseLostError), a stopping worker, or an
 * outcome that was already decided (OutcomeDecidedError).
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

/** The outcome of an attempt is decided, but a part of its handler still runs. */
export class OutcomeDecidedError extends TaskError {
  override readonly name = 'OutcomeDecidedError';

  constructor() {
    super('its outcome is already decided');
  }
}

/** A handler used one key for two effects of an attempt. The second effect would get the result of the first. */
export class EffectUsedTwiceError extends TaskError {
  override readonly name = 'EffectUsedTwiceError';

  constructor(key: string, task: string, taskId: string) {
    super(
      `The effect key ${JSON.stringify(key)} was used twice in one attempt at ${task} (task ${taskId}); expected another key for each effect`,
    );
  }
}

/** A message names a task, and is none of its messages: another contract, queue or payload than was sent. */
export class MismatchError extends TaskError {
  override readonly name = 'MismatchError';

  /** @param what - the part that differs, what was expected and what the message has */
  constructor(taskId: string, what: string) {
    super(`The message is none of the task ${taskId}: ${what}`);
  }
}

/** A message is for a later task of a chain or group, and the task before that has not succeeded. */
export class OutOfTurnError extends TaskError {
  override readonly name = 'OutOfTurnError';

  constructor(taskId: string, afterId: string) {
    super(
      `The task ${taskId} runs only after ${afterId}, which has not succeeded with this payload as its result`,
    );
  }
}

/** The row of a task names something that follows it, and no contract of this process declares that. */
export class UnknownLinkError extends TaskError {
  override readonly name = 'UnknownLinkError';

  constructor({ task, queue }: { readonly task: string; readonly queue: string }, place: string) {
    super(
      `${place} is ${task} on the queue ${queue}, which no contract of this process declares: expected it among the "contracts" of createService, runWorker or createWorkerFunction (in this repository: list it in common/contracts/all.ts)`,
    );
  }
}

/** The task store has lost the row of a task, and with it the next task of its chain or group. */
export class FlowLostError extends TaskError {
  override readonly name = 'FlowLostError';

  constructor(taskId: string, end: { readonly task: string; readonly taskId: string }) {
    super(
      `The task store has lost the row of the task ${taskId}, so its flow cannot go on to ${end.task} (${end.taskId})`,
    );
  }
}

/** A tracked task did not succeed. Thrown by the wait for its result. */
export class TaskFailedError extends TaskError {
  override readonly name = 'TaskFailedError';
  readonly taskId: string;
  /** Why the task became a dead letter, such as `rejected` or `attempts-exhausted`. */
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

/** A tracked task did not end within the time that its result was waited for. The task continues. */
export class ResultTimeoutError extends TaskError {
  override readonly name = 'ResultTimeoutError';

  constructor(taskId: string, timeoutSeconds: number, state: string, options?: ErrorOptions) {
    super(`The task ${taskId} did not end within ${timeoutSeconds} s; its state is ${state}`, options);
  }
}

import { AsyncLocalStorage } from 'node:async_hooks';

/** What names an attempt in logs. */
export interface AttemptName {
  readonly queue: string;
  readonly messageId: string;
  readonly task: string;
  readonly taskId: string;
  readonly attempt: number;
}

/** By asynchronous context: timers, promises, events and streams that a handler started keep its attempt. */
const attempts = new AsyncLocalStorage<RunningAttempt>();

/**
 * An attempt, as code that its handler started finds it: the process learns from it which task an error comes from
 * that no promise of the handler carries. It holds no payload, because a timer that the handler left may keep it alive.
 */
export class RunningAttempt {
  readonly name: AttemptName;
  /** Which of SQS's receives of its message it is made with, counted from 1. */
  readonly receive: number;
  #fail: ((error: Error) => boolean) | undefined;

  /** @param fail - fails the attempt; gives whether its outcome was still open */
  constructor(name: AttemptName, receive: number, fail: (error: Error) => boolean) {
    this.name = name;
    this.receive = receive;
    this.#fail = fail;
  }

  /** Runs the handler: whatever it starts belongs to this attempt. */
  run<Result>(handler: () => Result): Result {
    return attempts.run(this, handler);
  }

  /** Fails the attempt. Gives false if its outcome is already decided. */
  fail(error: Error): boolean {
    return this.#fail?.(error) ?? false;
  }

  /** Its outcome is decided. */
  end(): void {
    this.#fail = undefined;
  }
}

/** The attempt whose handler started the code that calls this; it may have ended since. */
export function currentAttempt(): RunningAttempt | undefined {
  return attempts.getStore();
}

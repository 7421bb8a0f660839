// Links code to the attempt whose handler started it.
import { AsyncLocalStorage } from 'node:async_hooks';

/** The names and numbers that identify an attempt in logs. */
export interface AttemptName {
  readonly queue: string;
  readonly messageId: string;
  readonly task: string;
  readonly taskId: string;
  readonly attempt: number;
}

/**
 * An attempt, as the code that its handler started finds it. From it the process learns which task caused an uncaught
 * error. It holds no payload, because a timer that the handler started may keep it alive.
 */
export class RunningAttempt {
  readonly name: AttemptName;
  /** The number of the message's receive that the attempt is made with, counted from 1 by SQS. */
  readonly receive: number;
  #fail: ((error: Error) => boolean) | undefined;

  /** @param fail - fails the attempt; returns whether its outcome was still open */
  constructor(name: AttemptName, receive: number, fail: (error: Error) => boolean) {
    this.name = name;
    this.receive = receive;
    this.#fail = fail;
  }

  /** Fails the attempt. Returns false if its outcome is already decided. */
  fail(error: Error): boolean {
    return this.#fail?.(error) ?? false;
  }

  /** Records that the outcome is decided. */
  end(): void {
    this.#fail = undefined;
  }
}

/** Links code to the attempt whose handler started it: its timers, promises, events and streams keep the attempt. */
export const attemptContext = new AsyncLocalStorage<RunningAttempt>();

/** Returns the attempt whose handler started the calling code. It may have ended since. */
export function currentAttempt(): RunningAttempt | undefined {
  return attemptContext.getStore();
}

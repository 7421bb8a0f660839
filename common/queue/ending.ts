import { DeafHandlerError, TaskTimeoutError } from './errors.ts';
import type { TaskContract } from './task.ts';

/**
 * What may end an attempt before its handler does: the signals that it depends on, and its contract's time limit. One
 * controller follows them all: `AbortSignal.any` would cost as much as the rest of an attempt, in weak references.
 */
export class Ending {
  readonly #attempt = new AbortController();
  readonly #signals: readonly AbortSignal[];
  readonly #graceSeconds: number;
  readonly #timeLimit: NodeJS.Timeout;
  #grace: NodeJS.Timeout | undefined;
  #giveUp: ((error: DeafHandlerError) => void) | undefined;
  #deafness: DeafHandlerError | undefined;
  #stray: Error | undefined;

  /**
   * @param signals - that of the hold on the message, and that of the claim on the task where there is one
   * @param graceSeconds - how long a handler may go on after its signal aborted
   */
  constructor(
    signals: readonly AbortSignal[],
    { name, timeoutSeconds }: Pick<TaskContract, 'name' | 'timeoutSeconds'>,
    graceSeconds: number,
  ) {
    this.#signals = signals;
    this.#graceSeconds = graceSeconds;
    const onLimit = (): void => this.#end(new TaskTimeoutError(name, timeoutSeconds));
    this.#timeLimit = setTimeout(onLimit, timeoutSeconds * 1000);
    for (const signal of signals) signal.addEventListener('abort', this.#follow, { once: true });
    if (this.outside) this.#follow();
  }

  /** Aborts when the first of them ends the attempt: the handler's own. */
  get signal(): AbortSignal {
    return this.#attempt.signal;
  }

  /** What ended the attempt from outside, which is none of its handler's fault. */
  get outside(): Error | undefined {
    return this.#signals.find(({ aborted }) => aborted)?.reason as Error | undefined;
  }

  /** The time limit, where that came first. */
  get timeout(): TaskTimeoutError | undefined {
    const { reason } = this.#attempt.signal as { reason: unknown };
    return reason instanceof TaskTimeoutError ? reason : undefined;
  }

  /** Whether `unlessDeaf` has thrown this because it gave the handler up. */
  gaveUp(thrown: unknown): boolean {
    return this.#deafness !== undefined && thrown === this.#deafness;
  }

  /** What the handler left for the process to catch, if that ended the attempt. */
  get stray(): Error | undefined {
    return this.#stray;
  }

  /** Ends the attempt by an error that its handler's promise does not carry. Gives false if it had to end already. */
  fail(error: Error): boolean {
    if (this.#attempt.signal.aborted) return false;
    this.#stray = error;
    this.#end(error);
    return true;
  }

  /**
   * The handler's result. A result waits for the end of the event loop's turn: only then does the process learn of
   * promises that the handler's last step left rejected.
   *
   * @throws DeafHandlerError when the handler goes on for so long after its signal aborted
   */
  unlessDeaf<Result>(handler: Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#giveUp = reject;
      handler.then((result) => afterTurn(() => resolve(result)), reject);
    });
  }

  /** Is to be called when the attempt is over. */
  close(): void {
    clearTimeout(this.#timeLimit);
    clearTimeout(this.#grace);
    for (const signal of this.#signals) signal.removeEventListener('abort', this.#follow);
  }

  readonly #follow = (): void => this.#end(this.outside);

  #end(reason: Error | undefined): void {
    if (this.#attempt.signal.aborted) return;
    const onGraceOver = (): void => {
      this.#deafness = new DeafHandlerError(this.#graceSeconds);
      this.#giveUp?.(this.#deafness);
    };
    this.#grace = setTimeout(onGraceOver, this.#graceSeconds * 1000);
    this.#attempt.abort(reason);
  }
}

let waiting: (() => void)[] = [];

/** Calls back at the end of the event loop's turn, together with all others that wait for it. */
function afterTurn(callback: () => void): void {
  if (waiting.push(callback) > 1) return;
  setImmediate(() => {
    const callbacks = waiting;
    waiting = [];
    for (const each of callbacks) each();
  });
}

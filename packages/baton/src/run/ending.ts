import { UnresponsiveHandlerError, OutcomeDecidedError, TaskTimeoutError } from '../task/errors.ts';
import type { TaskContract } from '../task/task.ts';

/** A right that an attempt depends on, such as the lease of its message and the claim on its task. */
export interface Right {
  /** Aborts when it is lost. */
  readonly signal: AbortSignal;
  /**
   * Gives nothing while it surely lasts. Else resolves to whether it does: it was asked for again, because the clock says
   * that it has ended. If it has not, `signal` has aborted by then. Left out: `signal` alone tells.
   */
  confirm?(): Promise<boolean> | undefined;
}

/**
 * What may end an attempt before its handler does: the signals that it depends on, and its contract's time limit. One
 * controller follows them all: `AbortSignal.any` would cost as much as the rest of an attempt, in weak references.
 */
export class Ending {
  readonly #attempt = new AbortController();
  readonly #rights: readonly Right[];
  readonly #contract: Pick<TaskContract, 'name' | 'timeoutSeconds'>;
  /** When the time limit passes, by `performance.now()`. */
  readonly #limitAtMs: number;
  #closed = false;
  readonly #graceSeconds: number;
  readonly #inAttempt: <Result>(code: () => Result) => Result;
  readonly #timeLimit: NodeJS.Timeout;
  #grace: NodeJS.Timeout | undefined;
  #giveUp: ((error: UnresponsiveHandlerError) => void) | undefined;
  #deafness: UnresponsiveHandlerError | undefined;
  #stray: Error | undefined;

  /**
   * @param rights - the hold on the message, and the claim on the task where there is one
   * @param graceSeconds - how long a handler may go on after its signal aborted
   * @param inAttempt - runs code as a part of the attempt: what listens to its signal is the handler's
   */
  constructor(
    rights: readonly Right[],
    contract: Pick<TaskContract, 'name' | 'timeoutSeconds'>,
    graceSeconds: number,
    inAttempt: <Result>(code: () => Result) => Result,
  ) {
    this.#inAttempt = inAttempt;
    this.#rights = rights;
    this.#contract = contract;
    this.#graceSeconds = graceSeconds;
    const limitMs = contract.timeoutSeconds * 1000;
    this.#limitAtMs = performance.now() + limitMs;
    this.#timeLimit = setTimeout(this.#onLimit, limitMs);
    for (const { signal } of rights) signal.addEventListener('abort', this.#follow, { once: true });
    if (this.outside) this.#follow();
  }

  /** Aborts when the first of them ends the attempt: the handler's own. */
  get signal(): AbortSignal {
    return this.#attempt.signal;
  }

  /** What ended the attempt from outside, which is none of its handler's fault. */
  get outside(): Error | undefined {
    return this.#rights.find(({ signal }) => signal.aborted)?.signal.reason as Error | undefined;
  }

  /** The time limit, where that came first. */
  get timeout(): TaskTimeoutError | undefined {
    const { reason } = this.#attempt.signal as { reason: unknown };
    return reason instanceof TaskTimeoutError ? reason : undefined;
  }

  /** Why the attempt is over, if it is. It looks at the clock: after a pause of the process no timer has fired yet. */
  get over(): Error | undefined {
    if (!this.#closed && performance.now() >= this.#limitAtMs) this.#onLimit();
    if (this.#attempt.signal.aborted) return this.#attempt.signal.reason as Error;
    return this.#closed ? new OutcomeDecidedError() : undefined;
  }

  /** Gives nothing while the attempt surely goes on; else a promise that rejects with the reason when it is over. */
  check(): Promise<void> | undefined {
    if (this.over) return Promise.reject(this.over);
    let asked: Promise<boolean>[] | undefined;
    for (const right of this.#rights) {
      const confirmed = right.confirm?.();
      if (confirmed) (asked ??= []).push(confirmed);
    }
    return asked && this.#checked(asked);
  }

  async #checked(asked: readonly Promise<boolean>[]): Promise<void> {
    const lasts = (await Promise.all(asked)).every(Boolean);
    // A right that is no longer renewed was given back, because the outcome is being carried out
    const over = this.over ?? (lasts ? undefined : new OutcomeDecidedError());
    if (over) throw over;
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
   * @throws UnresponsiveHandlerError when the handler goes on for so long after its signal aborted
   */
  unlessDeaf<Result>(handler: Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#giveUp = reject;
      handler.then((result) => afterTurn(() => resolve(result)), reject);
    });
  }

  /** Is to be called when the attempt is over. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timeLimit);
    clearTimeout(this.#grace);
    for (const { signal } of this.#rights) signal.removeEventListener('abort', this.#follow);
  }

  readonly #onLimit = (): void =>
    this.#end(new TaskTimeoutError(this.#contract.name, this.#contract.timeoutSeconds));

  readonly #follow = (): void => this.#end(this.outside);

  #end(reason: Error | undefined): void {
    if (this.#attempt.signal.aborted) return;
    const onGraceOver = (): void => {
      this.#deafness = new UnresponsiveHandlerError(this.#graceSeconds);
      this.#giveUp?.(this.#deafness);
    };
    this.#grace = setTimeout(onGraceOver, this.#graceSeconds * 1000);
    this.#inAttempt(() => this.#attempt.abort(reason));
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

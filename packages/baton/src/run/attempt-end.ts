// Ends attempts before their handlers do, and keeps effects and sends from starting afterwards.
import {
  AttemptOverError,
  OutcomeDecidedError,
  TaskCancelledError,
  TaskTimeoutError,
  UnresponsiveHandlerError,
} from '../task/errors.ts';
import type { TaskContract } from '../task/task.ts';
import { isInstance } from '../telemetry/thrown.ts';
import { attemptContext, type RunningAttempt } from './running-attempt.ts';

/** A right that an attempt depends on: the lease of its message, or the claim on its task. */
export interface Right {
  /** Aborts when the right is lost. */
  readonly signal: AbortSignal;
  /**
   * Returns undefined while the right certainly lasts. If a clock says that it has expired, renews it and resolves to
   * whether it lasts. If it does not, `signal` has aborted by then. Default: the right lasts until `signal` aborts.
   */
  confirm?(): Promise<boolean> | undefined;
}

/**
 * Lets an effect or a send of an attempt start only while the attempt lasts.
 *
 * Returns undefined if it certainly lasts. Otherwise returns a promise that rejects with AttemptOverError if it is over.
 *
 * @param what - what is about to start, such as `the effect pay`
 */
export type AttemptGate = (what: string) => Promise<void> | undefined;

/** The names of an attempt in the errors of its gate. */
export interface GatedAttempt {
  readonly task: string;
  readonly taskId: string;
  readonly attempt: number;
}

/** Makes the gate of an attempt. */
export function gateOf(end: AttemptEnd, attempt: GatedAttempt): AttemptGate {
  return (what) =>
    end.check()?.catch((why: Error) => {
      throw new AttemptOverError(what, attempt, why);
    });
}

/**
 * Ends an attempt before its handler does: when a right is lost, when the contract's time limit passes, or when the
 * handler causes an uncaught error. Only a cancellation waits for effects that are under way. Uses one controller for
 * all, because `AbortSignal.any` and its weak references would cost as much as the rest of an attempt.
 */
export class AttemptEnd {
  readonly #controller = new AbortController();
  readonly #rights: readonly Right[];
  readonly #contract: Pick<TaskContract, 'name' | 'timeoutSeconds'>;
  /** When the time limit passes, by `performance.now()`. */
  readonly #limitAtMs: number;
  readonly #graceSeconds: number;
  readonly #running: RunningAttempt;
  readonly #timeLimit: NodeJS.Timeout;
  #grace: NodeJS.Timeout | undefined;
  #rejectResult: ((error: UnresponsiveHandlerError) => void) | undefined;
  #unresponsive: UnresponsiveHandlerError | undefined;
  #stray: Error | undefined;
  /** The number of effects that have begun and not ended. */
  #effects = 0;
  #closed = false;

  /**
   * @param rights - the lease of the message, and the claim of a tracked task
   * @param graceSeconds - how long a handler may continue after its signal aborted
   * @param running - the attempt that listeners of the signal belong to
   */
  constructor(
    rights: readonly Right[],
    contract: Pick<TaskContract, 'name' | 'timeoutSeconds'>,
    graceSeconds: number,
    running: RunningAttempt,
  ) {
    this.#rights = rights;
    this.#contract = contract;
    this.#graceSeconds = graceSeconds;
    this.#running = running;
    const limitMs = contract.timeoutSeconds * 1000;
    this.#limitAtMs = performance.now() + limitMs;
    this.#timeLimit = setTimeout(this.#onTimeLimit, limitMs);
    for (const { signal } of rights) signal.addEventListener('abort', this.#onRightLost, { once: true });
    if (this.lostRight) this.#onRightLost();
  }

  /** The handler's signal. Aborts with the first reason that ends the attempt. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Why a right was lost, if one was. The handler is not at fault. */
  get lostRight(): Error | undefined {
    return this.#rights.find(({ signal }) => signal.aborted)?.signal.reason as Error | undefined;
  }

  /** The time limit, if that ended the attempt. */
  get timeout(): TaskTimeoutError | undefined {
    const { reason } = this.#controller.signal as { reason: unknown };
    return reason instanceof TaskTimeoutError ? reason : undefined;
  }

  /** Why the attempt is over, if it is. Looks at the clock, because no timer has fired yet right after a pause of the process. */
  get over(): Error | undefined {
    if (!this.#closed && performance.now() >= this.#limitAtMs) this.#onTimeLimit();
    if (this.#controller.signal.aborted) return this.#controller.signal.reason as Error;
    // The signal may wait for an effect
    if (this.lostRight) return this.lostRight;
    return this.#closed ? new OutcomeDecidedError() : undefined;
  }

  /** Returns undefined while the attempt certainly lasts. Otherwise a promise that rejects with the reason if it is over. */
  check(): Promise<void> | undefined {
    if (this.over) return Promise.reject(this.over);
    let confirmations: Promise<boolean>[] | undefined;
    for (const right of this.#rights) {
      const confirmation = right.confirm?.();
      if (confirmation) (confirmations ??= []).push(confirmation);
    }
    return confirmations && this.#checked(confirmations);
  }

  async #checked(confirmations: readonly Promise<boolean>[]): Promise<void> {
    const lasts = (await Promise.all(confirmations)).every(Boolean);
    // A right that is no longer renewed was given back, because the outcome is being settled
    const over = this.over ?? (lasts ? undefined : new OutcomeDecidedError());
    if (over) throw over;
  }

  /**
   * Records that an effect is under way. A cancellation of the task aborts the signal only once it has ended, because an
   * effect that is cut off may have been done, and then nobody would know. Returns a function that records its end.
   */
  readonly effectBegins = (): (() => void) => {
    let isUnderWay = true;
    this.#effects += 1;
    return () => {
      if (!isUnderWay) return;
      isUnderWay = false;
      this.#effects -= 1;
      if (this.#effects === 0 && this.lostRight) this.#onRightLost();
    };
  };

  /** Whether `resultOf` threw this error because the handler is unresponsive. */
  isUnresponsive(thrown: unknown): boolean {
    return this.#unresponsive !== undefined && thrown === this.#unresponsive;
  }

  /** The handler's uncaught error, if that ended the attempt. */
  get stray(): Error | undefined {
    return this.#stray;
  }

  /** Ends the attempt with an uncaught error of its handler. Returns false if it had to end already. */
  fail(error: Error): boolean {
    if (this.#controller.signal.aborted) return false;
    this.#stray = error;
    this.#abort(error);
    return true;
  }

  /**
   * Resolves to the handler's result, at the end of the event loop's turn: only then does the process learn of promises
   * that the handler's last step left rejected.
   *
   * @throws UnresponsiveHandlerError if the handler still runs when the grace after its abort is over
   */
  resultOf<Result>(handler: Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#rejectResult = reject;
      handler.then((result) => afterTurn(() => resolve(result)), reject);
    });
  }

  /** Stops all timers. Must be called once the outcome is decided. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timeLimit);
    clearTimeout(this.#grace);
    for (const { signal } of this.#rights) signal.removeEventListener('abort', this.#onRightLost);
  }

  readonly #onTimeLimit = (): void =>
    this.#abort(new TaskTimeoutError(this.#contract.name, this.#contract.timeoutSeconds));

  readonly #onRightLost = (): void => {
    const { lostRight } = this;
    if (this.#closed || (this.#effects > 0 && isInstance(lostRight, TaskCancelledError))) return;
    this.#abort(lostRight);
  };

  #abort(reason: Error | undefined): void {
    if (this.#controller.signal.aborted) return;
    const onGraceOver = (): void => {
      this.#unresponsive = new UnresponsiveHandlerError(this.#graceSeconds);
      this.#rejectResult?.(this.#unresponsive);
    };
    this.#grace = setTimeout(onGraceOver, this.#graceSeconds * 1000);
    attemptContext.run(this.#running, () => this.#controller.abort(reason));
  }
}

let waiting: (() => void)[] = [];

/** Calls back at the end of the event loop's turn. One callback of Node serves all that wait. */
function afterTurn(callback: () => void): void {
  if (waiting.push(callback) > 1) return;
  setImmediate(() => {
    const callbacks = waiting;
    waiting = [];
    for (const each of callbacks) each();
  });
}

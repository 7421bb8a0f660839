// A step of a tracked task that leaves the system, such as a payment or a mail.

/** Configures an effect. */
export interface EffectOptions<Result> {
  /**
   * Asks the outside system, by the idempotency key, whether an effect was done. Called instead of `run` if an earlier
   * attempt began the effect but its result is not kept, for example because its process died or the result was too large.
   * Resolve to the result, or to undefined if the effect was never done. Then `run` is called.
   *
   * Costs one more write to the task store for each effect. Without it, such an effect is run again, except if its result
   * could not be kept.
   */
  readonly inDoubt?: (
    idempotencyKey: string,
  ) => Promise<{ readonly result: Result } | undefined> | { readonly result: Result } | undefined;
}

/**
 * Runs a step that leaves the system, such as a payment, once for this task, and keeps its result.
 *
 * Promised: once the result of `run` is kept, no later attempt, retry or redelivery of this task runs it again. They get
 * the kept result. `run` does not begin once this attempt is over: its outcome is decided, its signal has aborted, or its
 * lease or claim has expired, even if no timer has noticed that yet.
 *
 * Once `run` has ended, its result is kept, also if the task was cancelled, has ended or is attempted by another worker by
 * then. If the task did not succeed, its listeners are told of it. A cancellation aborts the handler's signal only when the
 * effects under way have ended.
 *
 * Not promised: if a process dies after `run` has done its work and before the result is kept, the next attempt runs it
 * again. To prevent that, give `inDoubt`, or pass the idempotency key to the outside system, so that it recognizes the
 * second call (Stripe's idempotency keys, a Message-ID, a conditional write).
 *
 * @param key - names the effect: 1 to 64 letters, digits and `. _ : -`. A task has at most 50 effects. Use a key once in an
 *   attempt; in a loop, put an id into it, as in `charge-${customerId}`. To retry within an attempt, retry inside `run`
 * @param run - returns a result that JSON can carry, at most 4,096 bytes. Every attempt gets it as JSON carries it: a Date
 *   as a string, NaN as null
 *
 * @throws InvalidValueError if the key is invalid or one too many; `run` has not begun
 * @throws EffectUsedTwiceError if this attempt has used the key before; `run` has not begun
 * @throws AttemptOverError if the attempt is over; `run` has not begun
 * @throws RejectTask if the result cannot be kept. `run` is not called again: later attempts get a RejectTask too
 * @throws ClaimLostError if another attempt has claimed the task, or the task was cancelled. The result is kept
 * @throws what `run` and `inDoubt` throw
 */
export type Effect = <Result>(
  key: string,
  run: (idempotencyKey: string) => Promise<Result> | Result,
  options?: EffectOptions<Result>,
) => Promise<Result>;

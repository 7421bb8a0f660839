/** How an effect is run. */
export interface EffectOptions<Result> {
  /**
   * Asks the outside system what became of the effect, by its idempotency key. Called instead of `run` when an earlier
   * attempt began the effect and its result is not kept: its process died, say, or the result was too large. Resolves to
   * what it gave, or to nothing when it was never done; then `run` is called.
   *
   * Costs one more write to the task store for each effect. Left out: the effect is run again, unless its result was what
   * could not be kept.
   */
  readonly inDoubt?: (
    idempotencyKey: string,
  ) => Promise<{ readonly result: Result } | undefined> | { readonly result: Result } | undefined;
}

/**
 * Runs something that leaves the task (a payment, say) once for this task, and keeps what it gave.
 *
 * Promised: once what `run` gave is kept, no later attempt, retry or redelivery of this task runs it again; they get
 * what was kept. `run` does not begin when this attempt is over: its outcome is decided, its signal has aborted, or its
 * lease or claim has ended, whether or not a timer has noticed.
 *
 * Cannot be promised: a process that dies after `run` has done its work and before it was kept cannot know; the next
 * attempt runs it again. Against that, give `inDoubt`; or hand the idempotency key to the outside system, which can then
 * tell the second time from the first (Stripe's idempotency keys, a Message-ID, a conditional write).
 *
 * @param key - 1 to 64 letters, digits and `. _ : -`, one for each effect of the task, 50 at most. Once in an attempt: in
 *   a loop it names what the effect is for, as in `charge-${customerId}`. To try again within an attempt, do so in `run`
 * @param run - gives what JSON can hold, at most 4,096 bytes. Every attempt gets it as JSON carries it: a Date as a text,
 *   NaN as null
 *
 * @throws InvalidValueError when the key is none, or one too many; `run` has not begun
 * @throws EffectUsedTwiceError when this attempt has used the key before; `run` has not begun
 * @throws AttemptOverError when the attempt is over; `run` has not begun
 * @throws RejectTask when what `run` gave is more than can be kept. It is not run again: later attempts get a RejectTask
 * @throws ClaimLostError when the task is another attempt's; and what `run` and `inDoubt` throw
 */
export type Effect = <Result>(
  key: string,
  run: (idempotencyKey: string) => Promise<Result> | Result,
  options?: EffectOptions<Result>,
) => Promise<Result>;

/** Where the effects of one task are kept. */
export interface KeptEffects {
  /** What an effect gave, if it was kept. */
  find(key: string): Promise<{ readonly result: unknown } | undefined>;
  /** Keeps what an effect gave. @throws ClaimLostError when the task is no longer this attempt's */
  keep(key: string, result: unknown): Promise<void>;
}

/**
 * Runs something that leaves the task (a payment, a mail) once for this task, and keeps what it gave.
 *
 * Promised: once what `run` gave is kept, no later attempt, retry or redelivery of this task runs it again; they get
 * what was kept. An attempt whose task was taken over or cancelled keeps nothing, and `effect` rejects there.
 *
 * Cannot be promised: a process that dies after `run` has done its work and before it was kept cannot know; the next
 * attempt runs it again. For that `run` is given a key that is the same each time, to be handed to the other side,
 * which can then tell the second time from the first (Stripe's idempotency keys, a Message-ID, a conditional write).
 *
 * @param key - 1 to 64 letters, digits and `. _ : -`, one for each effect of the task, 50 at most
 * @param run - gives what JSON can hold, at most 4,096 bytes
 * An effect within itself, under its own key, waits for ever.
 *
 * @throws InvalidValueError when the key is none, or one too many; `run` has not begun
 * @throws RejectTask when what `run` gave is more than can be kept: it is not to be run again
 * @throws ClaimLostError when the task is another attempt's; and what `run` throws
 */
export type Effect = <Result>(
  key: string,
  run: (idempotencyKey: string) => Promise<Result> | Result,
) => Promise<Result>;

/** Makes the `effect` of one attempt. Two calls for one key at one time are one. */
export function effectOf(claim: KeptEffects, taskId: string): Effect {
  const underWay = new Map<string, Promise<unknown>>();
  const once = async (key: string, run: (idempotencyKey: string) => unknown): Promise<unknown> => {
    const kept = await claim.find(key);
    if (kept) return kept.result;
    const result = await run(`${taskId}:${key}`);
    await claim.keep(key, result);
    // As every later attempt gets it
    return (await claim.find(key))?.result;
  };
  const effect = (key: string, run: (idempotencyKey: string) => unknown): Promise<unknown> => {
    const running = underWay.get(key) ?? once(key, run).finally(() => underWay.delete(key));
    underWay.set(key, running);
    // Whoever does not wait for it must not bring the process down by that
    running.catch(() => undefined);
    return running;
  };
  return effect as Effect;
}

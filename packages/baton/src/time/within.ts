// Limits the wait for a promise.

/**
 * Waits for `work`, but no longer than `limitMs`. Resolves to its result, or to the result of `late` if the time is over
 * first. Then the work continues, and its result or error is ignored.
 *
 * @param limitMs - in milliseconds, from now. The process stays alive meanwhile
 * @param late - called once when the time is over. It may throw
 * @throws the error of the work, if it fails in time, or of `late`
 */
export function within<Result, Late>(
  limitMs: number,
  work: Promise<Result>,
  late: () => Late,
): Promise<Result | Late> {
  const { promise: over, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, limitMs);
  return Promise.race([work, over.then(late)]).finally(() => clearTimeout(timer));
}

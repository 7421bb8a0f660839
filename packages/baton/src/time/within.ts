// A wait that ends at a time.

/**
 * Waits for `work`, but no longer than `limitMs`. Resolves to what the work gives, or to what `late` gives if the time is
 * over first. The work itself goes on: nothing more comes of it, a later failure included.
 *
 * @param limitMs - in milliseconds, from now; the process stays alive meanwhile
 * @param late - called once when the time is over; what it throws is thrown
 * @throws what the work throws in time
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

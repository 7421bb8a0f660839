/**
 * Waits for all of several things that were begun, though some fail. Resolves to what they gave.
 *
 * @throws the error of the first that failed, once the last is over
 */
export async function allDone<Value>(begun: readonly Promise<Value>[]): Promise<Value[]> {
  await Promise.allSettled(begun);
  return Promise.all(begun);
}

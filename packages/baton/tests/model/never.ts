/** Returns a new promise that never settles. A shared one would keep everything that ever waited for it in memory. */
export function never(): Promise<never> {
  return new Promise(() => undefined);
}

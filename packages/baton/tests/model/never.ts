/** A promise that never settles; a new one each time, or all that ever waited for it would be kept for good. */
export function never(): Promise<never> {
  return new Promise(() => undefined);
}

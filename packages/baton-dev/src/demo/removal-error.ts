/** The demo cannot be removed. The message says why. */
export class RemovalError extends Error {
  override readonly name = 'RemovalError';
}

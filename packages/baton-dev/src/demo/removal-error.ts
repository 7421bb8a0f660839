/** The demo cannot be removed as things are, with what stands in the way. */
export class RemovalError extends Error {
  override readonly name = 'RemovalError';
}

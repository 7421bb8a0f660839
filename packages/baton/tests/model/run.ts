/** A run of a handler. */
export interface Run {
  readonly process: string;
  readonly taskId: string;
  readonly attempt: number;
  readonly signal: AbortSignal;
  /** The receipt handle that it runs under, as far as can be told. */
  readonly handle: string;
}

/** A run of a handler. */
export interface Run {
  readonly process: string;
  readonly taskId: string;
  readonly attempt: number;
  readonly signal: AbortSignal;
  /** The receipt handle of its message, as far as it is known. */
  readonly handle: string;
}

/** A contender: Baton or a rival, and the command of its program, which speaks the protocol of `protocol.ts`. */
export interface Contender {
  /** Its name in samples: `sqs-consumer`. */
  readonly name: string;
  /** The version of its library. */
  readonly version: string;
  /** The program and its arguments. */
  readonly command: readonly [program: string, ...args: string[]];
  /** Environment variables beside those that the bench sets. */
  readonly environment?: Readonly<Record<string, string>>;
  /** The kind of broker that keeps its queues. */
  readonly queues: 'sqs' | 'redis';
  /** The concurrency at which it drains no-op tasks fastest. */
  readonly drainConcurrency: number;
  /**
   * How it sends: in tens by its own batch API, one by one, or not at all. If it does not send, the AWS SDK fills its
   * queue and it takes no part in measures of sending.
   */
  readonly sends: 'tens' | 'ones' | 'nothing';
  /** Share of the tasks that others get, 0 to 1. A slow contender gets less, so as not to delay a round. Default 1. */
  readonly share?: number;
  /** More environment variables for measures whose tasks take unequal times. */
  readonly unequal?: Readonly<Record<string, string>>;
  /** The ids of the measures that it takes part in. Default: all. */
  readonly measures?: readonly string[];
}

/** Thrown if a contender's program reports that its library cannot do a job. */
export class CannotError extends Error {
  override readonly name = 'CannotError';
}

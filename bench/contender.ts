/** Somebody who takes part, and how the program is started that speaks the lines of `protocol.ts`. */
export interface Contender {
  /** As samples name it: `sqs-consumer`. */
  readonly name: string;
  /** Of its library. */
  readonly version: string;
  /** The program and its arguments. */
  readonly command: readonly [program: string, ...args: string[]];
  /** What it needs in its environment, beside what the bench says. */
  readonly environment?: Readonly<Record<string, string>>;
  /** What its queues are on. */
  readonly queues: 'sqs' | 'redis';
  /** The concurrency at which it drains no-op tasks fastest: its best setting. */
  readonly drainConcurrency: number;
  /**
   * How it sends: tens by a batch API of its own, ones alone, or not at all. Who does not send has its queue filled by the
   * AWS SDK, and takes no part in measures of sending.
   */
  readonly sends: 'tens' | 'ones' | 'nothing';
  /** How many tasks it is given of those that others get, so that a round does not wait for it. 0 to 1. Default 1. */
  readonly share?: number;
  /** What its environment adds where tasks take unequal times. */
  readonly unequal?: Readonly<Record<string, string>>;
  /** The measures that it takes part in. Default: all. */
  readonly measures?: readonly string[];
}

/** What a contender cannot do, by its own word. */
export class CannotError extends Error {
  override readonly name = 'CannotError';
}

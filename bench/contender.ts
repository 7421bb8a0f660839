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
}

/** What a contender cannot do, by its own word. */
export class CannotError extends Error {
  override readonly name = 'CannotError';
}

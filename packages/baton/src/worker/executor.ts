import type { Outcome } from '../task/outcome.ts';
import type { AttemptHost } from '../run/attempt.ts';
import type { ReceivedMessage } from '../sqs/received-message.ts';

/** What an executor says of a message: an outcome to settle, or that it is left to SQS and to whoever ran it. */
export type Execution = Outcome | { readonly kind: 'left' };

/** How a worker runs the messages of one queue. */
export interface Executor {
  readonly kind: 'local' | 'lambda';
  /** Runs one message. Never rejects. */
  run(message: ReceivedMessage, host: AttemptHost): Promise<Execution>;
  /** Notes that a message comes back because it could not be settled: no worker has died of it. May reject. */
  comesBack?(message: ReceivedMessage): Promise<void>;
}

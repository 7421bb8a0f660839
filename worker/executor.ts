import type { Outcome } from '@baton/common/queue/outcome';
import type { ReceivedMessage } from '@baton/common/queue/received-message';

/** What an executor says of a message: an outcome to settle, or that it is left to SQS and to whoever ran it. */
export type Execution = Outcome | { readonly kind: 'left' };

/** How a worker runs the messages of one queue. */
export interface Executor {
  readonly kind: 'local' | 'lambda';
  /**
   * Runs one message. Never rejects.
   *
   * @param signal - aborts when the message's lease is lost or the worker must stop
   */
  run(message: ReceivedMessage, signal: AbortSignal): Promise<Execution>;
}

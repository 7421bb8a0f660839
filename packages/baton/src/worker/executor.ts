// Runs the messages of a queue: in the worker's own process, or (see lambda-executor.ts) by invoking a function.
import type { AttemptHost } from '../run/attempt.ts';
import { processMessage } from '../run/process-message.ts';
import type { Processing } from '../run/processing.ts';
import { logReturn } from '../run/untracked-attempt.ts';
import type { ReceivedMessage } from '../sqs/received-message.ts';
import type { Outcome } from '../task/outcome.ts';

/** An outcome to settle, or `left`: the worker does nothing more, and the message comes back when its lease expires. */
export type Execution = Outcome | { readonly kind: 'left' };

/** Runs the messages of one queue. */
export interface Executor {
  /** `own` runs messages in the worker's own process, `lambda` invokes a function. */
  readonly kind: 'own' | 'lambda';
  /** Runs one message. Never rejects. */
  run(message: ReceivedMessage, host: AttemptHost): Promise<Execution>;
  /** Logs that a message comes back because it could not be settled, so that its worker does not count as dead. May reject. */
  logReturn?(message: ReceivedMessage): Promise<void>;
}

/** Runs a queue's messages in the worker's own process. */
export class OwnExecutor implements Executor {
  readonly kind = 'own';
  readonly #queue: string;
  readonly #processing: Processing;

  /** @param queue - the queue's name, or its lane's, such as `payments_high` */
  constructor(queue: string, processing: Processing) {
    this.#queue = queue;
    this.#processing = processing;
  }

  run(message: ReceivedMessage, host: AttemptHost): Promise<Outcome> {
    return processMessage(message, this.#queue, host, this.#processing);
  }

  async logReturn(message: ReceivedMessage): Promise<void> {
    const log = this.#processing.tracker?.receives;
    if (log) await logReturn(message, log);
  }
}

// Makes the context of an attempt's handler.
import type { Logger } from '../telemetry/logger.ts';
import type { Envelope } from '../sqs/envelope.ts';
import type { TaskContext, WorkerIdentity } from '../task/implementation.ts';
import type { Progress } from '../task/progress.ts';
import type { SendTask } from '../task/send-task.ts';
import type { Admission, ReceivedTask } from './admission.ts';
import { type AttemptEnd, type AttemptGate, gateOf } from './attempt-end.ts';
import { effectOf } from './effects.ts';
import type { TaskFields } from './outcome-log.ts';
import type { Processing } from './processing.ts';

/** The context of an attempt's handler, and the gate that its sends and effects pass. */
export interface GatedContext {
  readonly context: TaskContext;
  readonly gate: AttemptGate;
  /** Records that an effect is under way. Returns a function that records its end. */
  readonly effectBegins: () => () => void;
  /** Writes a tracked task's progress while the attempt lasts. Undefined for other tasks. */
  readonly progress: ((progress: Progress) => void) | undefined;
}

/** Makes the context of an attempt. Its sends, effects and progress stop working once the attempt is over. */
export function contextOf(
  { envelope, trace, fields }: ReceivedTask,
  { implementation, claim }: Admission,
  end: AttemptEnd,
  { logger, send, worker }: Processing,
): GatedContext {
  const links = { trace, parentId: fields.taskId, depth: depthBelow(envelope) };
  const gate = gateOf(end, fields);
  const gatedSend: SendTask = (contract, payload, options) => {
    const sending = () => send(contract, payload, { ...links, ...options });
    const doubt = gate(`the send of ${contract.name}`);
    return doubt ? doubt.then(sending) : sending();
  };
  const { maxAttempts } = implementation.contract.retry;
  const context = new HandlerContext(fields, maxAttempts, end.signal, gatedSend, worker, logger);
  const { effectBegins } = end;
  if (!claim) return { context, gate, effectBegins, progress: undefined };
  const progress = (said: Progress): void => {
    if (!end.over) claim.progress(said);
  };
  Object.assign(context, {
    token: claim.token,
    progress,
    effect: effectOf(claim, fields, gate, effectBegins),
  });
  return { context, gate, effectBegins, progress };
}

/** The depth of the tasks that a task's handler sends. */
export function depthBelow({ depth = 0 }: Envelope): number {
  return depth + 1;
}

/** Creates its logger at the first use, because most handlers log nothing. */
class HandlerContext implements TaskContext {
  readonly taskId: string;
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly signal: AbortSignal;
  readonly send: SendTask;
  readonly worker: WorkerIdentity;
  declare readonly logger: Logger;
  readonly #fields: TaskFields;
  readonly #parentLogger: Logger;
  #logger: Logger | undefined;

  constructor(
    fields: TaskFields,
    maxAttempts: number,
    signal: AbortSignal,
    send: SendTask,
    worker: WorkerIdentity,
    parentLogger: Logger,
  ) {
    this.taskId = fields.taskId;
    this.attempt = fields.attempt;
    this.maxAttempts = maxAttempts;
    this.signal = signal;
    this.send = send;
    this.worker = worker;
    this.#fields = fields;
    this.#parentLogger = parentLogger;
    // An own property, so that a copy of the context has it too. A new getter for each context would double the cost of
    // an attempt
    Object.defineProperty(this, 'logger', HandlerContext.#ownLogger);
  }

  static readonly #ownLogger = {
    enumerable: true,
    get(this: HandlerContext): Logger {
      return (this.#logger ??= this.#parentLogger.child(this.#fields));
    },
  };
}

import type { Logger } from '../telemetry/logger.ts';
import type { TraceContext } from '../telemetry/trace-context.ts';
import { type AttemptGate, gateOf } from './attempt-gate.ts';
import { effectOf } from './effects.ts';
import type { Ending } from './ending.ts';
import type { TaskContext, WorkerIdentity } from '../task/implementation.ts';
import type { SendTask } from '../task/send-task.ts';
import type { Claim } from './task-tracker.ts';
import type { Progress } from '../task/progress.ts';

/** What the context of an attempt is made of. */
export interface ContextParts {
  /** What every log line of the attempt says. */
  readonly fields: { readonly task: string; readonly taskId: string; readonly attempt: number };
  readonly maxAttempts: number;
  readonly trace: TraceContext;
  /** The depth of what the handler sends. */
  readonly depth: number;
  /** A tracked task's. */
  readonly claim: Claim | undefined;
  readonly ending: Ending;
  readonly logger: Logger;
  readonly send: SendTask;
  readonly worker: WorkerIdentity;
}

/** What an attempt's handler is given, and the gate that all passes which leaves the attempt. */
export interface GatedContext {
  readonly context: TaskContext;
  readonly gate: AttemptGate;
  /** Writes down what the handler says of itself, while the attempt goes on. Of a tracked task only. */
  readonly progress: ((progress: Progress) => void) | undefined;
}

/** Makes the context of an attempt: nothing leaves it once the attempt is over. */
export function contextOf(parts: ContextParts): GatedContext {
  const { fields, trace, depth, claim, ending, send } = parts;
  const links = { trace, parentId: fields.taskId, depth };
  const gate = gateOf(ending, fields);
  const progress =
    claim &&
    ((said: Progress): void => {
      if (!ending.over) claim.progress(said);
    });
  const context = new HandlerContext(parts, (contract, payload, options) => {
    const sending = () => send(contract, payload, { ...links, ...options });
    const doubt = gate(`the send of ${contract.name}`);
    return doubt ? doubt.then(sending) : sending();
  });
  if (claim) Object.assign(context, { token: claim.token, progress, effect: effectOf(claim, fields, gate) });
  return { context, gate, progress };
}

/** The context, whose logger is made when it is first asked for: most handlers log nothing. */
class HandlerContext implements TaskContext {
  readonly taskId: string;
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly signal: AbortSignal;
  readonly send: SendTask;
  readonly worker: WorkerIdentity;
  declare readonly logger: Logger;
  readonly #parts: ContextParts;
  #logger: Logger | undefined;

  constructor(parts: ContextParts, send: SendTask) {
    this.taskId = parts.fields.taskId;
    this.attempt = parts.fields.attempt;
    this.maxAttempts = parts.maxAttempts;
    this.signal = parts.ending.signal;
    this.send = send;
    this.worker = parts.worker;
    this.#parts = parts;
    // Its own, so that a copy of the context has it too. A getter made for each context would double what an attempt costs
    Object.defineProperty(this, 'logger', HandlerContext.#ownLogger);
  }

  static readonly #ownLogger = {
    enumerable: true,
    get(this: HandlerContext): Logger {
      return (this.#logger ??= this.#parts.logger.child(this.#parts.fields));
    },
  };
}

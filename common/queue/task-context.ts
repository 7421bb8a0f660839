import type { Logger } from '../telemetry/logger.ts';
import type { TraceContext } from '../telemetry/trace-context.ts';
import { type AttemptGate, gateOf } from './attempt-gate.ts';
import { effectOf } from './effect.ts';
import type { Ending } from './ending.ts';
import type { TaskContext, WorkerIdentity } from './implementation.ts';
import type { SendTask } from './task-client.ts';
import type { Claim, Progress } from './tracking.ts';

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
  const { fields, maxAttempts, trace, depth, claim, ending, logger, send, worker } = parts;
  const { taskId, attempt } = fields;
  const links = { trace, parentId: taskId, depth };
  const gate = gateOf(ending, fields);
  const progress =
    claim &&
    ((said: Progress): void => {
      if (!ending.over) claim.progress(said);
    });
  let own: Logger | undefined;
  const context: TaskContext = {
    taskId,
    attempt,
    maxAttempts,
    signal: ending.signal,
    // Most handlers log nothing: it is made for those that do
    get logger() {
      return (own ??= logger.child(fields));
    },
    send: (contract, payload, options) => {
      const sending = () => send(contract, payload, { ...links, ...options });
      const doubt = gate(`the send of ${contract.name}`);
      return doubt ? doubt.then(sending) : sending();
    },
    worker,
    ...(claim && { token: claim.token, progress, effect: effectOf(claim, fields, gate) }),
  };
  return { context, gate, progress };
}

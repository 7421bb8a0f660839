import type { MessagePort } from 'node:worker_threads';
import type { WorkerIdentity } from '@baton/common/queue/implementation';
import type { TraceContext } from '@baton/common/telemetry/trace-context';
import type { CrossingError } from './crossing-error.ts';

/** What a handler in a thread sends tasks with. */
export interface ThreadSender {
  readonly queueUrlPrefix: string;
  /** The sending service's name. */
  readonly source: string;
}

/** An attempt on its way into a thread: plain data, and the port by which the two speak while it runs. */
export interface ThreadTask {
  readonly task: string;
  readonly data: unknown;
  readonly trace: TraceContext;
  readonly context: {
    readonly taskId: string;
    readonly attempt: number;
    readonly maxAttempts: number;
    readonly worker: WorkerIdentity;
  };
  readonly log: { readonly level: string; readonly fields: Readonly<Record<string, unknown>> };
  readonly sender: ThreadSender;
  readonly port: MessagePort;
}

/** What the worker says to a thread: that its handler's signal aborts, and why. */
export type ToThread = CrossingError;

/** What a thread says to its worker: a line of the log, and at last how the handler ended. */
export type FromThread =
  | { readonly kind: 'line'; readonly line: string }
  | { readonly kind: 'result'; readonly result: unknown }
  | { readonly kind: 'failure'; readonly error: CrossingError };

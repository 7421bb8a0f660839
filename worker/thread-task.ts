import type { MessagePort } from 'node:worker_threads';
import type { KnownEffect } from '@baton/common/queue/effect';
import type { WorkerIdentity } from '@baton/common/queue/implementation';
import type { PlainError } from '@baton/common/queue/plain-error';
import type { Progress } from '@baton/common/queue/tracking';
import type { TraceContext } from '@baton/common/telemetry/trace-context';

/** What a handler in a thread sends tasks with. */
export interface ThreadSender {
  readonly queueUrlPrefix: string;
  /** The sending service's name. */
  readonly source: string;
  /** The name of the task store's table, where there is one. */
  readonly tasksTable?: string | undefined;
}

/** An attempt on its way into a thread: plain data, and the port by which the two speak while it runs. */
export interface ThreadTask {
  readonly task: string;
  readonly data: unknown;
  /** The depth of what its handler sends. */
  readonly depth: number;
  readonly trace: TraceContext;
  readonly context: {
    readonly taskId: string;
    readonly attempt: number;
    readonly maxAttempts: number;
    readonly worker: WorkerIdentity;
    /** A tracked task's fencing token. */
    readonly token: number | undefined;
  };
  readonly log: { readonly level: string; readonly fields: Readonly<Record<string, unknown>> };
  readonly sender: ThreadSender;
  /** Whether its progress and its effects go through the worker, which holds its claim. */
  readonly tracked: boolean;
  readonly port: MessagePort;
}

/** What the worker says to a thread: that its handler's signal aborts, and why; what became of what was asked. */
export type ToThread =
  | { readonly kind: 'abort'; readonly reason: PlainError }
  | { readonly kind: 'answer'; readonly ask: number; readonly known: KnownEffect }
  | { readonly kind: 'refusal'; readonly ask: number; readonly error: PlainError };

/** What a thread asks of its attempt: whether something may leave it, and what its claim knows and keeps of effects. */
export type ThreadAsk =
  | { readonly kind: 'pass'; readonly what: string }
  | { readonly kind: 'find-effect'; readonly key: string }
  | { readonly kind: 'begin-effect'; readonly key: string }
  | { readonly kind: 'keep-effect'; readonly key: string; readonly result: unknown };

/** What a thread says to its worker: lines of the log, what it asks of the claim, and at last how the handler ended. */
export type FromThread =
  | { readonly kind: 'line'; readonly line: string }
  | { readonly kind: 'progress'; readonly progress: Progress }
  | (ThreadAsk & { readonly ask: number })
  | { readonly kind: 'result'; readonly result: unknown }
  | { readonly kind: 'failure'; readonly error: PlainError };

import type { MessagePort } from 'node:worker_threads';
import type { EffectResult, KnownEffect } from '../../run/effects.ts';
import type { WorkerIdentity } from '../../task/implementation.ts';
import type { PlainError } from '../../task/plain-error.ts';
import type { AttemptName } from '../../run/running-attempt.ts';
import type { Progress } from '../../task/progress.ts';
import type { TraceContext } from '../../telemetry/trace-context.ts';

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
  /** What names the attempt in lines about errors that its handler leaves. */
  readonly name: AttemptName;
  /** Which of SQS's receives of its message it is made with, counted from 1. */
  readonly receive: number;
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

/** What is known of an effect, on its way into a thread; what it gave is JSON, empty of `undefined`. */
export type ThreadKnownEffect = { readonly json: string } | Exclude<KnownEffect, object>;

/**
 * What the worker says to a thread: that its handler's signal aborts, and why; what became of what was asked; that the
 * thread is not to be kept from other tasks by effects that are still under way.
 */
export type ToThread =
  | { readonly kind: 'abort'; readonly reason: PlainError }
  | { readonly kind: 'answer'; readonly ask: number; readonly known: ThreadKnownEffect }
  | { readonly kind: 'refusal'; readonly ask: number; readonly error: PlainError }
  | { readonly kind: 'let-go' };

/** What a thread asks of its attempt: whether something may leave it, and what its claim knows and keeps of effects. */
export type ThreadAsk =
  | { readonly kind: 'pass'; readonly what: string }
  | { readonly kind: 'find-effect'; readonly key: string }
  | { readonly kind: 'begin-effect'; readonly key: string }
  | { readonly kind: 'keep-effect'; readonly key: string; readonly result: EffectResult };

/** How a handler ended. Its result has passed its contract and is JSON, empty of `undefined`. */
export type ThreadAnswer =
  | { readonly kind: 'result'; readonly json: string }
  | { readonly kind: 'failure'; readonly error: PlainError };

/** A line of the log. Those that belong to no attempt that still has its port come by the thread's own port. */
export interface ThreadLine {
  readonly kind: 'line';
  readonly line: string;
}

/** What a thread says to its worker by the port of an attempt. */
export type FromThread =
  | ThreadLine
  /** The handler begins, so many after the thread's first one. */
  | { readonly kind: 'begins'; readonly earlier: number }
  /** Whether effects or sends of the handler are under way. */
  | { readonly kind: 'under-way'; readonly isUnderWay: boolean }
  /** An error of the handler that nothing caught. */
  | { readonly kind: 'stray'; readonly error: PlainError }
  | { readonly kind: 'progress'; readonly progress: Progress }
  | (ThreadAsk & { readonly ask: number })
  | ThreadAnswer;

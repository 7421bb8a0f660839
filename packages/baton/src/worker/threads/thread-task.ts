// The messages between a worker and its threads.
import type { MessagePort } from 'node:worker_threads';
import type { EffectResult, KnownEffect } from '../../run/effects.ts';
import type { WorkerIdentity } from '../../task/implementation.ts';
import type { PlainError } from '../../task/plain-error.ts';
import type { AttemptName } from '../../run/running-attempt.ts';
import type { Progress } from '../../task/progress.ts';
import type { TraceContext } from '../../telemetry/trace-context.ts';

/** Configures the task client of a thread. */
export interface ThreadSender {
  readonly queueUrlPrefix: string;
  /** The sending service's name. */
  readonly source: string;
  /** The name of the task store's table, if there is one. */
  readonly tasksTable?: string | undefined;
}

/** An attempt as it is sent to a thread: plain data, and the port through which both sides talk while it runs. */
export interface ThreadTask {
  /** Identifies the attempt in log lines about uncaught errors. */
  readonly name: AttemptName;
  /** The number of the message's receive that the attempt is made with, counted from 1 by SQS. */
  readonly receive: number;
  readonly data: unknown;
  /** The depth of the tasks that the handler sends. */
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
  /** Whether the worker holds a claim: then progress and effects go through it. */
  readonly tracked: boolean;
  readonly port: MessagePort;
}

/** A known effect as it is sent to a thread. Its result is JSON; empty for `undefined`. */
export type ThreadKnownEffect = { readonly json: string } | Exclude<KnownEffect, object>;

/**
 * The messages from the worker to a thread. `abort`: the handler's signal aborts. `answer`, `refusal`: the reply to a
 * question. `let-go`: the thread must take other tasks although effects are under way.
 */
export type ToThread =
  | { readonly kind: 'abort'; readonly reason: PlainError }
  | { readonly kind: 'answer'; readonly ask: number; readonly known: ThreadKnownEffect }
  | { readonly kind: 'refusal'; readonly ask: number; readonly error: PlainError }
  | { readonly kind: 'let-go' };

/** The questions of a thread: whether an effect or a send may start, and what the claim knows or must keep of effects. */
export type ThreadAsk =
  | { readonly kind: 'pass'; readonly what: string }
  | { readonly kind: 'find-effect'; readonly key: string }
  | { readonly kind: 'begin-effect'; readonly key: string }
  | { readonly kind: 'keep-effect'; readonly key: string; readonly result: EffectResult };

/** How a handler ended. Its result was checked against the contract, and is JSON; empty for `undefined`. */
export type ThreadAnswer =
  | { readonly kind: 'result'; readonly json: string }
  | { readonly kind: 'failure'; readonly error: PlainError };

/** A line of the log. If its attempt has no port any more, it comes through the thread's own port. */
export interface ThreadLine {
  readonly kind: 'line';
  readonly line: string;
}

/** The messages from a thread to its worker through the port of an attempt. */
export type FromThread =
  | ThreadLine
  /** The handler starts. `earlier` is the number of handlers that the thread has started before. */
  | { readonly kind: 'begins'; readonly earlier: number }
  /** Whether effects or sends of the handler are under way. */
  | { readonly kind: 'under-way'; readonly isUnderWay: boolean }
  /** An uncaught error of the handler. */
  | { readonly kind: 'stray'; readonly error: PlainError }
  | { readonly kind: 'progress'; readonly progress: Progress }
  | (ThreadAsk & { readonly ask: number })
  | ThreadAnswer;

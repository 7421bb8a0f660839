// Runs handlers in threads. The folder `worker` implements it.
import type { TraceContext } from '../telemetry/trace-context.ts';
import type { AttemptGate } from './attempt-end.ts';
import type { TaskContext } from '../task/implementation.ts';
import type { RunningAttempt } from './running-attempt.ts';
import type { Claim } from './task-tracker.ts';
import type { Progress } from '../task/progress.ts';

/** A handler that was started. */
export interface HandlerRun {
  /** Resolves to the handler's checked result, or rejects with its error. If it was terminated, rejects once it is gone. */
  readonly ended: Promise<unknown>;
  /** Terminates the handler. Undefined unless it runs in a thread. */
  readonly terminate?: () => void;
}

/** An attempt that a thread must make. */
export interface ThreadedAttempt {
  readonly task: string;
  /** The payload as it is in the envelope: plain data, before the contract's schema parses it. */
  readonly data: unknown;
  /** The depth of the tasks that it sends. */
  readonly depth: number;
  /** The trace of the tasks that it sends. */
  readonly trace: TraceContext;
  readonly context: Omit<TaskContext, 'send'>;
  /** The attempt that uncaught errors of the handler fail. */
  readonly running: RunningAttempt;
  /** The gate that sends and effects pass before they start. */
  readonly gate: AttemptGate;
  /** Records that an effect is under way. Returns a function that records its end. */
  readonly effectBegins: () => () => void;
  /** A tracked task's claim, which keeps its effects. */
  readonly claim?: Claim | undefined;
  /** Writes a tracked task's progress. */
  readonly progress?: ((progress: Progress) => void) | undefined;
}

/** Runs handlers whose contracts have the isolation `thread`. */
export interface Threads {
  /** Starts a handler in a thread. Never throws: errors end the run. */
  run(attempt: ThreadedAttempt): HandlerRun;
}

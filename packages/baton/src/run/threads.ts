import type { TraceContext } from '../telemetry/trace-context.ts';
import type { AttemptGate } from './attempt-end.ts';
import type { TaskContext } from '../task/implementation.ts';
import type { RunningAttempt } from './running-attempt.ts';
import type { Claim } from './task-tracker.ts';
import type { Progress } from '../task/progress.ts';

/** A handler that was started. */
export interface HandlerRun {
  /** Settles as the handler does, with what `checkedResult` gives. Once it was terminated, rejects when it is gone. */
  readonly ended: Promise<unknown>;
  /** Ends the handler by force, as only one in a thread can be. */
  readonly terminate?: () => void;
}

/** An attempt that is to be made in a thread. */
export interface ThreadedAttempt {
  readonly task: string;
  /** The payload as the envelope has it: plain data, whatever the contract's schema makes of it. */
  readonly data: unknown;
  /** The depth of what it sends. */
  readonly depth: number;
  /** What `send` sends within. */
  readonly trace: TraceContext;
  readonly context: Omit<TaskContext, 'send'>;
  /** What the handler's errors that nothing catches fail. */
  readonly running: RunningAttempt;
  /** What its sends and effects pass before they begin. */
  readonly gate: AttemptGate;
  /** A tracked task's, through which its effects go. */
  readonly claim?: Claim | undefined;
  /** Takes what a tracked task says of itself. */
  readonly progress?: ((progress: Progress) => void) | undefined;
}

/** Where handlers run whose contracts have the isolation `thread`. */
export interface Threads {
  /** Starts a handler in a thread. Never throws: whatever goes wrong is how the run ends. */
  run(attempt: ThreadedAttempt): HandlerRun;
}

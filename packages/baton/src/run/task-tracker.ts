// Tracks tasks while a process attempts them. The folder `tracked` implements it with the task store.
import type { KeptEffects } from './effects.ts';
import type { Right } from './attempt-end.ts';
import type { Envelope } from '../sqs/envelope.ts';
import type { DeadLetterOutcome, Outcome } from '../task/outcome.ts';
import type { Progress } from '../task/progress.ts';
import type { ReceivedMessage } from '../sqs/received-message.ts';
import type { ReceiveLog } from './receive-log.ts';
import type { TaskContract } from '../task/task.ts';

/** Keeps the state of tracked tasks while a process attempts them. */
export interface TaskTracker {
  /**
   * Starts an attempt, in one conditional write.
   *
   * Resolves to the claim, or to the outcome of a message whose task must not run now: it has ended, it runs
   * elsewhere, or the store does not answer.
   */
  claim(request: ClaimRequest): Promise<Claim | Outcome>;
  /**
   * Ends a waiting task, or one whose claim was abandoned, because its message becomes a dead letter without an
   * attempt. Does nothing for a task that is not tracked, or if the message is none of its task's. Resolves to the
   * outcome of the message, which differs from `outcome` if the task runs or has ended, or if the store does not
   * answer.
   */
  giveUp(given: GivenUp, outcome: DeadLetterOutcome): Promise<Outcome>;
  /** The store's time, in milliseconds since 1970. Does not depend on this process's clock. */
  now(): Promise<number>;
  /** Logs the receives of messages whose tasks are not tracked. Default: SQS's count decides. */
  readonly receives?: ReceiveLog;
}

/** Describes a task that is given up. */
export interface GivenUp extends Pick<ClaimRequest, 'message' | 'envelope' | 'queue'> {
  /** How long the task must have waited by its row, in seconds. Otherwise its message is released. */
  readonly patienceSeconds: number;
}

/** Describes a claim: the task, and the worker that wants to attempt it. */
export interface ClaimRequest {
  readonly message: ReceivedMessage;
  readonly envelope: Envelope;
  readonly contract: TaskContract;
  /** The queue that its message was in. In a lane, the lane's queue, such as `payments_high`. */
  readonly queue: string;
  /** The worker's id. */
  readonly owner: string;
  /** Aborts when the worker must release the message. */
  readonly signal: AbortSignal;
  /** How long after that an outcome may still be written, in seconds. */
  readonly graceSeconds: number;
}

/** An attempt whose earlier attempts are known: from the task store, from the log of receives, or from SQS's count. */
export interface BegunAttempt {
  /** The attempt's number, counted from 1. */
  readonly attempt: number;
  /** How many attempts in a row, up to this one, ended because their workers died. */
  readonly crashes: number;
  /** Whether the last attempt ended because its worker died: its handler may be the cause, so this one runs alone. */
  readonly suspect: boolean;
  /** Why the task is given up without this attempt. Its `attempt` and `crashes` may be reasons too. */
  readonly givenUp?: Error | undefined;
  /**
   * Records that the handler of a suspect starts. A later crash is its fault if it runs alone, an earlier one is not.
   *
   * @throws ClaimLostError if another attempt has the task
   */
  begins(alone: boolean): Promise<void>;
  /** Writes the attempt's outcome, unless another attempt has the task. Resolves to the outcome of the message. */
  conclude(outcome: Outcome): Promise<Outcome>;
}

/** A process's right to a tracked task for one attempt. It is renewed until the attempt is concluded. */
export interface Claim extends KeptEffects, BegunAttempt, Right {
  /** The fencing token: greater than those of all earlier attempts. */
  readonly token: number;
  /** Aborts with TaskCancelledError if the task is cancelled, and with ClaimLostError if another attempt has it. */
  readonly signal: AbortSignal;
  /** Writes the handler's progress, at most once a second. The last progress is always written. */
  progress(progress: Progress): void;
}

/** Whether the task was claimed. */
export function isClaim(claimed: Claim | Outcome): claimed is Claim {
  return 'conclude' in claimed;
}

// What a process needs of a task store to attempt tasks. The room `tracked` implements it.
import type { KeptEffects } from './effects.ts';
import type { Right } from './attempt-end.ts';
import type { Envelope } from '../sqs/envelope.ts';
import type { DeadLetterOutcome, Outcome } from '../task/outcome.ts';
import type { Progress } from '../task/progress.ts';
import type { ReceivedMessage } from '../sqs/received-message.ts';
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
   * Ends a task that waits, or whose last attempt was abandoned, because its message becomes a dead letter without an
   * attempt. Does nothing for a task that is not tracked. Resolves to the outcome of the message, which differs from
   * `outcome` if the task runs or has ended after all, or if the store does not answer.
   */
  giveUp(given: Pick<ClaimRequest, 'message' | 'envelope'>, outcome: DeadLetterOutcome): Promise<Outcome>;
  /** The store's time, in milliseconds since 1970. Does not depend on this process's clock. */
  now(): Promise<number>;
  /** Logs the receives of messages whose tasks are not tracked. Left out: SQS's count decides. */
  readonly receives?: ReceiveLog;
}

/** What is known of a message's earlier receives. They are counted from 1 and through its chain of copies: see `receiveOf`. */
export interface EarlierReceives {
  /** The last receive that ended in an orderly way and left the message. 0 if none did. */
  readonly ended: number;
  /** How many attempts were used up. */
  readonly attempts: number;
  /** How many workers in a row died while they held the message. */
  readonly crashes: number;
  /** The last receive whose handler is known to have started. */
  readonly begun?: number | undefined;
  /** Whether that handler ran alone. */
  readonly alone?: boolean | undefined;
  /** Whether the handler may have killed a worker. */
  readonly suspect?: boolean | undefined;
}

/** Logs the receives of messages. The key is the id of the first message of a chain of copies: see `firstIdOf`. */
export interface ReceiveLog {
  /** Resolves to undefined for an unknown message. */
  find(firstId: string): Promise<EarlierReceives | undefined>;
  /** Replaces what was known. */
  keep(firstId: string, receives: EarlierReceives): Promise<void>;
}

/** Describes a claim: the task, and the worker that wants to attempt it. */
export interface ClaimRequest {
  readonly message: ReceivedMessage;
  readonly envelope: Envelope;
  readonly contract: TaskContract;
  /** The queue that its message was in; of a lane that one's own, such as `payments_high`. */
  readonly queue: string;
  /** The worker's id. */
  readonly owner: string;
  /** Aborts when the worker must give the message up. */
  readonly signal: AbortSignal;
  /** How long after that an outcome may still be written down, in seconds. */
  readonly graceSeconds: number;
}

/** An attempt whose earlier attempts are known. */
export interface BegunAttempt {
  /** The attempt's number, counted from 1. */
  readonly attempt: number;
  /** How many attempts in a row, up to this one, ended because their workers died. */
  readonly crashes: number;
  /** Whether the last attempt ended because its worker died: its handler may be the cause, so this one runs alone. */
  readonly suspect: boolean;
  /** Why the task is given up without an attempt. `attempt` and `crashes` may be further reasons. */
  readonly givenUp?: Error | undefined;
  /**
   * Notes that the handler of a suspect starts. Earlier crashes are not its fault. Later ones are, if it runs alone.
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

import type { KeptEffects } from './effects.ts';
import type { Right } from './attempt-end.ts';
import type { Envelope } from '../sqs/envelope.ts';
import type { DeadLetterOutcome, Outcome } from '../task/outcome.ts';
import type { Progress } from '../task/progress.ts';
import type { ReceivedMessage } from '../sqs/received-message.ts';
import type { TaskContract } from '../task/task.ts';

/** What a process runs tracked tasks with. */
export interface TaskTracker {
  /**
   * Begins an attempt, in one conditional write.
   *
   * Resolves to the claim, or to the outcome of a message whose task must not run now: it has ended, it runs
   * elsewhere, or the store does not answer.
   */
  claim(request: ClaimRequest): Promise<Claim | Outcome>;
  /**
   * Ends a task that waits, or whose last attempt was abandoned, because its message is to be a dead letter without an
   * attempt. Does nothing for a task that is not tracked. Resolves to the outcome of the message: another one if the task
   * runs or has ended after all, or if the store does not answer.
   */
  giveUp(given: Pick<ClaimRequest, 'message' | 'envelope'>, outcome: DeadLetterOutcome): Promise<Outcome>;
  /** The store's time, in milliseconds since 1970, whatever this process's clock says. */
  now(): Promise<number>;
  /** What is known of the receives of messages whose tasks are not tracked. Left out: SQS's count decides. */
  readonly receives?: ReceiveLog;
}

/** What is known of a message's receives before this one. They are counted from 1, through its chain of copies: see `receiveOf`. */
export interface EarlierReceives {
  /** The last one that ended in an orderly way and left the message; 0 for none. */
  readonly ended: number;
  /** How many attempts were used up. */
  readonly attempts: number;
  /** How often in a row a worker died of it or beside it. */
  readonly crashes: number;
  /** The last one whose handler was noted to begin. */
  readonly begun?: number | undefined;
  /** Whether that handler ran alone. */
  readonly alone?: boolean | undefined;
  /** Whether the handler may be what a worker died of. */
  readonly suspect?: boolean | undefined;
}

/** Keeps what is known of the receives of messages, by the id of the first message of each chain of copies: see `firstIdOf`. */
export interface ReceiveLog {
  /** Resolves to nothing for a message that it does not know. */
  find(firstId: string): Promise<EarlierReceives | undefined>;
  /** Keeps it in place of what was known. */
  keep(firstId: string, receives: EarlierReceives): Promise<void>;
}

/** Who wants to begin an attempt at what. */
export interface ClaimRequest {
  readonly message: ReceivedMessage;
  readonly envelope: Envelope;
  readonly contract: TaskContract;
  /** The queue that its message was in; of a lane that one's own, such as `payments_high`. */
  readonly queue: string;
  /** The id of the worker. */
  readonly owner: string;
  /** Aborts when the worker must give the message up. */
  readonly signal: AbortSignal;
  /** How long after that an outcome may still be written down, in seconds. */
  readonly graceSeconds: number;
}

/** An attempt of which it is known what came before. */
export interface BegunAttempt {
  /** The attempt's number, counted from 1. */
  readonly attempt: number;
  /** How many attempts in a row ended because their workers died, up to this one. */
  readonly crashes: number;
  /** Whether the last attempt ended because its worker died: its handler may be the cause, so this one runs alone. */
  readonly suspect: boolean;
  /** Why there is to be no attempt; beside what follows from `attempt` and `crashes`. */
  readonly givenUp?: Error | undefined;
  /**
   * Notes that the handler of a suspect begins now. Until then a crash is not its fault; from then on it is when the
   * handler runs alone.
   *
   * @throws ClaimLostError when the task is no longer this attempt's
   */
  begins(alone: boolean): Promise<void>;
  /** Writes the attempt's outcome down, unless the task is no longer this attempt's, and gives that of the message. */
  conclude(outcome: Outcome): Promise<Outcome>;
}

/** A process's right to a tracked task for one attempt, renewed until it is concluded. */
export interface Claim extends KeptEffects, BegunAttempt, Right {
  /** Fencing token: greater than that of every attempt before. */
  readonly token: number;
  /** Aborts with TaskCancelledError when the task is cancelled, and with ClaimLostError when somebody else has it. */
  readonly signal: AbortSignal;
  /** Keeps what the handler says of itself, at most once a second; the last that it said is kept in the end. */
  progress(progress: Progress): void;
}

/** Whether an attempt may be made. */
export function isClaim(claimed: Claim | Outcome): claimed is Claim {
  return 'conclude' in claimed;
}

import type { DeadLetterOutcome, Outcome } from './outcome.ts';
import type { TaskContract } from './task.ts';
import type { ReceivedMessage } from './received-message.ts';
import type { KeptEffects } from './effect.ts';
import type { Right } from './ending.ts';
import type { Envelope } from './envelope.ts';
import type { FlowEnd } from './flow-end.ts';

/**
 * How far a tracked task has come. `failed` is a task that its handler rejected, `dead` one that was given up for any
 * other reason; both are in their queue's dead letters. The last four are final.
 */
export type TaskState = 'queued' | 'running' | 'retrying' | 'succeeded' | 'failed' | 'dead' | 'cancelled';

/** Every state, in the order that a task may go through them. */
export const TASK_STATES = [
  'queued',
  'running',
  'retrying',
  'succeeded',
  'failed',
  'dead',
  'cancelled',
] as const satisfies readonly TaskState[];

const FINAL: ReadonlySet<TaskState> = new Set(['succeeded', 'failed', 'dead', 'cancelled']);

/** Whether a task in this state will never run again by itself. */
export function isFinal(state: TaskState): boolean {
  return FINAL.has(state);
}

/** What a handler says of how far it is. */
export interface Progress {
  /** From 0 to 1. */
  readonly fraction: number;
  /** At most 200 characters are kept. */
  readonly message?: string | undefined;
}

/** Why a task did not succeed. */
export interface TaskFailure {
  /** The error's name, at most 128 characters. */
  readonly name: string;
  /** The error's message, at most 1,000 characters. */
  readonly message: string;
  /** Why the task was set aside; absent while it will be tried again. */
  readonly reason?: string | undefined;
}

/** Why a tracked task is `queued` or `retrying` though an attempt at it was begun. */
export interface Waiting {
  /**
   * `retry`: its last attempt failed, or threw RetryTask. `postponed`: it threw PostponeTask. `released`: it was
   * interrupted, because its worker had to stop, say.
   */
  readonly reason: 'retry' | 'postponed' | 'released';
  /** What the last attempt ended with. */
  readonly error: TaskFailure;
  /** When the next attempt may begin, ISO 8601; left out when it may begin at once. */
  readonly until?: string | undefined;
}

/** What is known of a tracked task. Times are ISO 8601. */
export interface TaskStatus {
  readonly taskId: string;
  /** The name of its contract. */
  readonly task: string;
  /** The queue of its contract. */
  readonly queue: string;
  /** The lane that it was sent in; absent where that is the default one. */
  readonly lane?: string | undefined;
  readonly state: TaskState;
  /** How often it was begun; releases, deploys and crashes beside other tasks do not count. */
  readonly attempts: number;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly startedAt?: string | undefined;
  readonly finishedAt?: string | undefined;
  /** Not run before this time. */
  readonly notBefore?: string | undefined;
  /** Why it waits for its next attempt. Lists leave it out. */
  readonly waiting?: Waiting | undefined;
  /** The task whose handler sent it. */
  readonly parentId?: string | undefined;
  readonly traceparent?: string | undefined;
  readonly progress?: (Progress & { readonly at: string }) | undefined;
  /** What the handler returned, as its contract's result schema gave it. */
  readonly result?: unknown;
  readonly error?: TaskFailure | undefined;
  /** How often it was dead, or had failed, and was put back. */
  readonly deaths?: number | undefined;
  /** How it ended before it was put back for the last time. */
  readonly lastDeath?: (TaskFailure & { readonly at: string }) | undefined;
  /** What its sender said that it is about. */
  readonly subject?: string | undefined;
}

/** A task to be tracked from its sending on. */
export interface NewTask {
  readonly taskId: string;
  readonly task: string;
  /** The queue that carries it; of a lane that one's own, such as `orders_high`. */
  readonly queue: string;
  /** Tells whether the same id is the same task. */
  readonly payloadHash?: string | undefined;
  readonly notBefore?: string | undefined;
  readonly parentId?: string | undefined;
  readonly traceparent?: string | undefined;
  /** How many tasks sent each other before this one. */
  readonly depth?: number | undefined;
  /** What follows when it succeeds. */
  readonly next?: NextTask | undefined;
  /** The group that waits for it. */
  readonly groupId?: string | undefined;
  /** What that group leads to. */
  readonly flowEnd?: FlowEnd | undefined;
  readonly subject?: string | undefined;
  /** Who is told how it ends. */
  readonly onEnd?: readonly Listener[] | undefined;
}

/** A task that takes the result of another as its payload. */
export interface NextTask {
  readonly taskId: string;
  readonly task: string;
  /** What it leads to; nothing if it is the last one itself. */
  readonly flowEnd?: FlowEnd | undefined;
  /** The version of its contract, as whoever started the flow knew it. Default 1. */
  readonly version?: number | undefined;
  /** The queue that carries it; of a lane that one's own, such as `orders_high`. */
  readonly queue: string;
}

/** A task that is told how another one ended, as whoever ends that one has to know it. */
export type Listener = Omit<NextTask, 'taskId' | 'flowEnd'>;

/** What a task store keeps of a task, as far as what follows from its end depends on it. */
export interface KeptTask extends Omit<TaskStatus, 'result' | 'waiting' | 'lane' | 'lastDeath'> {
  /** The queue that carries it, a lane's included (`orders_high`), so that a store's lists know the lane too. */
  readonly queue: string;
  /** As JSON, so that it comes back as it was, whatever the store has types for. */
  readonly result?: string | undefined;
  /** Fencing token: grows with each attempt, and when the task begins anew; what an older attempt still writes is refused. */
  readonly token: number;
  /** How many tasks sent each other before this one; 0 where it is not there. */
  readonly depth?: number | undefined;
  readonly next?: NextTask | undefined;
  readonly groupId?: string | undefined;
  /** What a group leads to, of its members. */
  readonly flowEnd?: FlowEnd | undefined;
  readonly onEnd?: readonly Listener[] | undefined;
  /** What effects gave, as JSON, by their keys. */
  readonly effects?: Readonly<Record<string, string>> | undefined;
}

/** What a task store keeps of a group. */
export interface KeptGroup {
  readonly memberIds: readonly string[];
  readonly next: NextTask;
  /** The members that have succeeded. */
  readonly done?: ReadonlySet<string> | undefined;
}

/** Tasks whose results together are the payload of the next one. */
export interface NewGroup {
  readonly groupId: string;
  /** In the order that their results have in the payload. */
  readonly memberIds: readonly string[];
  readonly next: NextTask;
  /** Its members are not run before this time, ISO 8601: it is kept for so much longer. */
  readonly notBefore?: string | undefined;
}

/** What senders need of a task store. */
export interface TaskRecords {
  /**
   * Notes a task before it is sent. Resolves to whether it is to be sent: not one that has begun or ended already.
   *
   * @throws TaskConflictError when the id belongs to another task or payload
   */
  create(task: NewTask): Promise<boolean>;
  readonly groups: {
    /** Notes a group that its members will name. Does nothing where it is known. */
    create(group: NewGroup): Promise<void>;
    /** The group of that id; nothing once it has expired. */
    find(groupId: string): Promise<KeptGroup | undefined>;
    /** Notes that a member has succeeded. Resolves to the group as it is then; nothing once it has expired. */
    memberDone(groupId: string, taskId: string): Promise<KeptGroup | undefined>;
  };
  /** The store's time, in milliseconds since 1970, whatever this process's clock says. */
  now(): Promise<number>;
  /** Forgets a task that was never sent and never begun. */
  forget(taskId: string): Promise<void>;
  /** What is known of a task; nothing once it has expired. */
  find(taskId: string): Promise<TaskStatus | undefined>;
  /** What is kept of a task; nothing once it has expired. */
  read(taskId: string): Promise<KeptTask | undefined>;
  /** The same of several tasks, in the order of their ids; those that are not there are left out. */
  readAll(taskIds: readonly string[]): Promise<readonly KeptTask[]>;
  /**
   * Cancels a task that has not ended: one that waits never runs, the signal of one that runs aborts within a
   * heartbeat. Resolves to the task as it is then, which is not cancelled where it had ended before. What follows from
   * that, `TaskClient.cancel` does.
   *
   * @param error - why, when nobody asked for it: a step before it did not succeed, say
   */
  cancel(taskId: string, error?: TaskFailure): Promise<TaskStatus | undefined>;
  /** Ends a task that waits and is not to be run. Resolves to what is kept of it; to nothing if it does not wait. */
  giveUp(taskId: string, error: TaskFailure): Promise<KeptTask | undefined>;
}

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
  /** The queue that its message was in; of a lane that one's own, such as `orders_high`. */
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

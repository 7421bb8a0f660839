// The task store, as senders use it. The folder `tracked` implements it.
import type { CancelOptions } from '../task/send-task.ts';
import type { FlowEnd, Listener, NextTask } from '../task/next-task.ts';
import type { Signatures } from '../sqs/signatures.ts';
import type { TaskFailure, TaskStatus } from '../task/task-status.ts';

/** A tracked task, before it is sent. */
export interface NewTask {
  readonly taskId: string;
  readonly task: string;
  /** The queue that carries it. In a lane, the lane's queue, such as `payments_high`. */
  readonly queue: string;
  /** The version of its contract. */
  readonly contractVersion?: number | undefined;
  /** The digest of its payload. Undefined for a later task of a flow until its turn has come. */
  readonly payloadHash?: string | undefined;
  readonly notBefore?: string | undefined;
  readonly parentId?: string | undefined;
  readonly traceparent?: string | undefined;
  /** How many tasks sent each other before this one. */
  readonly depth?: number | undefined;
  /** The task that follows if it succeeds. */
  readonly next?: NextTask | undefined;
  /** The group that waits for it. */
  readonly groupId?: string | undefined;
  /** The last task of the group's flow. */
  readonly flowEnd?: FlowEnd | undefined;
  /** For a later task of a flow: the task or the group that it follows. */
  readonly afterId?: string | undefined;
  /** For a later task of a flow: the first task of its chain, or its group. The ids of the others follow from it. */
  readonly flowId?: string | undefined;
  readonly subject?: string | undefined;
  /** The listeners to its end. */
  readonly onEnd?: readonly Listener[] | undefined;
}

/** The members of a task's row that decide what follows from its end. */
export interface KeptTask extends Omit<TaskStatus, 'result' | 'waiting' | 'lane' | 'lastDeath'> {
  /** The queue that carries it. In a lane, the lane's queue, such as `payments_high`. */
  readonly queue: string;
  /** As JSON, so that it comes back unchanged whatever types the store has. */
  readonly result?: string | undefined;
  /** Fencing token: grows with each attempt, and when the task starts again. The store refuses writes with a smaller one. */
  readonly token: number;
  /** How many tasks sent each other before this one. Default 0. */
  readonly depth?: number | undefined;
  readonly next?: NextTask | undefined;
  readonly groupId?: string | undefined;
  /** For a member of a group: the last task of the group's flow. */
  readonly flowEnd?: FlowEnd | undefined;
  readonly payloadHash?: string | undefined;
  readonly afterId?: string | undefined;
  readonly flowId?: string | undefined;
  readonly onEnd?: readonly Listener[] | undefined;
  readonly signature?: string | undefined;
  /** The kept results of its effects, as JSON, by their keys. */
  readonly effects?: Readonly<Record<string, string>> | undefined;
}

/** The row of a group. */
export interface KeptGroup {
  /** The group's id. */
  readonly taskId: string;
  readonly signature?: string | undefined;
  readonly memberIds: readonly string[];
  readonly next: NextTask;
  /** The members that have succeeded. */
  readonly done?: ReadonlySet<string> | undefined;
}

/** A group, before its members are sent. */
export interface NewGroup {
  readonly groupId: string;
  /** In the order of their results in the payload of `next`. */
  readonly memberIds: readonly string[];
  readonly next: NextTask;
  /** The earliest start time of its members, ISO 8601. Its row is kept for that much longer. */
  readonly notBefore?: string | undefined;
}

/** Configures the cancellation of a task's row. */
export interface Cancellation extends CancelOptions {
  /** The reason, if nobody asked for the cancellation: for example, a step before it did not succeed. */
  readonly error?: TaskFailure | undefined;
  /** Cancels the task only if it follows this task or group. */
  readonly afterId?: string | undefined;
}

/** The task store, as senders use it. */
export interface TaskRecords {
  /** Sign rows and check them. Undefined: they are not signed. */
  readonly signatures?: Signatures | undefined;
  /**
   * Writes the row of a task before it is sent. Resolves to whether it must be sent: not if it has started or ended.
   *
   * @throws TaskConflictError if the id belongs to another task or payload
   */
  create(task: NewTask): Promise<boolean>;
  readonly groups: {
    /** Writes the row of a group. Does nothing if it has one. */
    create(group: NewGroup): Promise<void>;
    /** Reads a group. Resolves to undefined if its row has expired. */
    find(groupId: string): Promise<KeptGroup | undefined>;
    /** Records that a member has succeeded. Resolves to the group after that; to undefined if its row has expired. */
    memberDone(groupId: string, taskId: string): Promise<KeptGroup | undefined>;
  };
  /** The store's time, in milliseconds since 1970. Does not depend on this process's clock. */
  now(): Promise<number>;
  /** Deletes the row of a task that was not sent, unless it has started. */
  forget(taskId: string): Promise<void>;
  /** Reads the status of a task. Resolves to undefined if its row has expired. */
  find(taskId: string): Promise<TaskStatus | undefined>;
  /** Reads the row of a task. Resolves to undefined if it has expired. */
  read(taskId: string): Promise<KeptTask | undefined>;
  /**
   * Reads the results of several tasks, in the order of their ids, without the missing ones. Reads nothing else, because
   * the rest of a row may be large.
   */
  readResults(taskIds: readonly string[]): Promise<readonly Pick<KeptTask, 'state' | 'result'>[]>;
  /**
   * Records that the turn of a later task of a flow has come, and the payload that it must run with, in one write. Resolves
   * to the row if the task waits to start; to undefined if it has started or ended, has no row, follows another task, or
   * has another payload.
   *
   * @param afterId - the task or the group that it follows
   */
  turn(taskId: string, payloadHash: string, afterId: string): Promise<KeptTask | undefined>;
  /**
   * Cancels a task that has not ended. A waiting task never runs. The signal of a running handler aborts within a
   * heartbeat. Resolves to the status after that: `cancelled`, unless the task had ended before. Tells no listeners, and
   * does not cancel the tasks after it: `TaskClient.cancel` does.
   *
   * @throws UnknownStateError if the task has a state that this version does not know
   */
  cancel(taskId: string, cancellation?: Cancellation): Promise<TaskStatus | undefined>;
  /** Ends a waiting task without another attempt. Resolves to its row; to undefined if it does not wait. */
  giveUp(taskId: string, error: TaskFailure): Promise<KeptTask | undefined>;
  /**
   * Resolves once a task may have changed, for a wait for its result. Default: the wait reads the status again after a
   * rest.
   *
   * @throws Error if the task cannot end
   */
  readonly waitForChange?: (taskId: string) => Promise<void>;
}

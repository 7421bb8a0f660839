import type { FlowEnd, Listener, NextTask } from '../task/next-task.ts';
import type { TaskFailure, TaskStatus } from '../task/task-status.ts';

/** A task to be tracked from its sending on. */
export interface NewTask {
  readonly taskId: string;
  readonly task: string;
  /** The queue that carries it; of a lane that one's own, such as `payments_high`. */
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

/** What a task store keeps of a task, as far as what follows from its end depends on it. */
export interface KeptTask extends Omit<TaskStatus, 'result' | 'waiting' | 'lane' | 'lastDeath'> {
  /** The queue that carries it, a lane's included (`payments_high`), so that a store's lists know the lane too. */
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
  /**
   * Resolves when a task that somebody waits for may have changed. Left out: they look again after a while.
   *
   * @throws Error when the task cannot end
   */
  readonly waitForChange?: (taskId: string) => Promise<void>;
}

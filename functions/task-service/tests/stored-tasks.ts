import { randomUUID } from 'node:crypto';
import type { TaskStore } from 'baton-tasks/service';
import type { Backends } from 'baton-dev/testing/backends';

type NewTask = Parameters<TaskStore['create']>[0];
type HeldClaim = Parameters<TaskStore['attempts']['conclude']>[0];
type Conclusion = Parameters<TaskStore['attempts']['conclude']>[1];

/** A task with a running attempt. */
export interface RunningTask {
  readonly taskId: string;
  readonly held: HeldClaim;
  /** Ends the attempt. */
  readonly end: (conclusion: Conclusion) => Promise<unknown>;
}

/** Puts tasks into the task store, as services and the worker do. */
export class StoredTasks {
  readonly store: TaskStore;

  constructor({ taskStore }: Backends) {
    this.store = taskStore;
  }

  /** A waiting task. */
  async queued(change: Partial<NewTask> = {}): Promise<NewTask> {
    const task = { taskId: randomUUID(), task: 'tests.work', queue: 'default', ...change };
    await this.store.create(task);
    return task;
  }

  /** A running task. */
  async running(change: Partial<NewTask> = {}): Promise<RunningTask> {
    const { taskId, task, queue, payloadHash = 'any' } = await this.queued(change);
    const claimId = randomUUID();
    const row = await this.store.attempts.claim({
      taskId,
      task,
      queue,
      claimId,
      owner: 'w-1',
      payloadHash,
      leaseSeconds: 30,
    });
    const held = { taskId, claimId, token: row?.token ?? 0 };
    return { taskId, held, end: (conclusion) => this.store.attempts.conclude(held, conclusion) };
  }

  /** A task that ended in that state, or waits for its next attempt. */
  async ended(state: Conclusion['state'], change: Partial<NewTask> = {}): Promise<RunningTask> {
    const task = await this.running(change);
    await task.end({ state, ...(state === 'succeeded' && { result: '{"sum":3}' }) });
    return task;
  }

  /** Sends that many tasks one after another. Resolves to their ids, the newest first. */
  async several(count: number, change: Partial<NewTask> = {}): Promise<string[]> {
    const prefix = randomUUID();
    const ids: string[] = [];
    for (let index = 0; index < count; index += 1) {
      // Tasks of the same millisecond are listed in the order of their ids
      const taskId = `${prefix}-${String(index).padStart(3, '0')}`;
      ids.unshift((await this.queued({ taskId, ...change })).taskId);
    }
    return ids;
  }
}

/** The name of a contract that no other task has, so a list of it has nothing else. */
export function newName(): string {
  return `tests.${randomUUID()}`;
}

/** The environment of task-service. */
export function environmentOf({ environment }: Backends): Record<string, string> {
  return { ...environment };
}

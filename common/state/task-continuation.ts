import { TaskTooLargeError } from '../queue/errors.ts';
import type { NextTask } from '../queue/tracking.ts';
import { parseTraceparent, startTrace, type TraceContext } from '../telemetry/trace-context.ts';
import type { TaskRow } from './task-row.ts';
import type { TaskStore } from './task-store.ts';

/** Sends a task that is noted already. */
export type ForwardTask = (
  next: NextTask,
  payload: unknown,
  sent: { readonly trace: TraceContext; readonly depth: number },
) => Promise<void>;

/**
 * Carries chains and groups on when one of their tasks has ended. Everything here may be done again after a crash: a
 * task that is sent twice is run once, and the message of the one before is deleted only when this is done.
 */
export class TaskContinuation {
  readonly #store: TaskStore;
  readonly #forward: ForwardTask;

  constructor(store: TaskStore, forward: ForwardTask) {
    this.#store = store;
    this.#forward = forward;
  }

  /**
   * Sends what follows a task that has succeeded, if anything does and it waits for no other.
   *
   * @throws SendError when SQS did not take it, and what the store throws
   */
  async succeeded({ taskId, next, groupId, result, traceparent }: TaskRow): Promise<void> {
    if (next) await this.#send(next, parsed(result), traceparent);
    const group = groupId === undefined ? undefined : await this.#store.groups.memberDone(groupId, taskId);
    if (!group || (group.done?.size ?? 0) < group.memberIds.length) return;
    const members = await this.#store.readAll(group.memberIds);
    // Some may have expired, or have been sent anew under the same ids since
    if (members.filter(({ state }) => state === 'succeeded').length < group.memberIds.length) return;
    await this.#send(
      group.next,
      members.map((member) => parsed(member.result)),
      traceparent,
    );
  }

  /** Cancels what follows a task that has not succeeded, and all that follows that. */
  async notSucceeded({ taskId, next, groupId }: TaskRow): Promise<void> {
    const group = groupId === undefined ? undefined : await this.#store.groups.find(groupId);
    await this.#cancelFrom(next ?? group?.next, `The task ${taskId} before it did not succeed`);
  }

  async #cancelFrom(first: NextTask | undefined, message: string): Promise<void> {
    let next = first;
    while (next) {
      await this.#store.cancel(next.taskId, { name: 'TaskCancelledError', message });
      next = (await this.#store.read(next.taskId))?.next;
    }
  }

  async #send(next: NextTask, payload: unknown, traceparent: string | undefined): Promise<void> {
    const known = await this.#store.read(next.taskId);
    if (known?.state === 'cancelled')
      return this.#cancelFrom(known.next, `The task ${known.taskId} before it was cancelled`);
    if (known && known.state !== 'queued') return;
    try {
      const trace = parseTraceparent(traceparent) ?? startTrace();
      await this.#forward(next, payload, { trace, depth: known?.depth ?? 0 });
    } catch (error) {
      // The results together are more than a message takes: no later try changes that
      if (!(error instanceof TaskTooLargeError)) throw error;
      await this.#cancelFrom(next, error.message);
    }
  }
}

function parsed(json: string | undefined): unknown {
  return json === undefined ? undefined : JSON.parse(json);
}

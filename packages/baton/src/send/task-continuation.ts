// What follows from the end of a tracked task: the next task of its flow, and its listeners.
import { v5 as uuidv5 } from 'uuid';
import { parseTraceparent, startTrace, type TraceContext } from '../telemetry/trace-context.ts';
import { type Envelope, MAX_DEPTH } from '../sqs/envelope.ts';
import { FlowLostError, TaskTooLargeError, TooDeepError } from '../task/errors.ts';
import type { FlowEnd, Listener, NextTask } from '../task/next-task.ts';
import { fromJson } from '../task/json-value.ts';
import type { TaskEnd } from '../task/task-end.ts';
import type { KeptTask, TaskRecords } from './task-records.ts';

/** The namespace (RFC 9562) of the ids of listeners' tasks. */
const ENDS = 'a6f2c0d4-5b8e-4f6b-9f0e-2d7c1e9b3a54';

/** Sends the next task of a flow, or a listener's task. */
export type ForwardTask = (
  next: NextTask,
  payload: unknown,
  sent: Pick<Envelope, 'trace' | 'subject' | 'depth'>,
) => Promise<void>;

/** Reports that a listener is not told an end. */
type UntoldReport = (error: TooDeepError, ended: KeptTask) => void;

/**
 * Does what follows from the end of a tracked task: sends the next task of its chain or group, or cancels the tasks that
 * can no longer run, and tells the listeners. After a crash all of this is done again, because the message of the ended
 * task is deleted only afterwards. That is safe: a task that is sent twice runs once, and so does a tracked listener.
 */
export class TaskContinuation {
  readonly #records: TaskRecords;
  readonly #forward: ForwardTask;
  readonly #onUntold: UntoldReport | undefined;

  /** @param onUntold - called for each listener that is not told, because the ended task is too deep */
  constructor(records: TaskRecords, forward: ForwardTask, onUntold?: UntoldReport) {
    this.#records = records;
    this.#forward = forward;
    this.#onUntold = onUntold;
  }

  /**
   * Does what follows from the end of a task. If one message cannot be sent, because its queue is unavailable or deleted,
   * all others are sent nevertheless.
   *
   * @param task - the row, as the end left it
   * @throws SendError if SQS did not accept one of the messages, and the store's errors. Call it again then
   */
  async ended(task: KeptTask): Promise<void> {
    const followed = task.state === 'succeeded' ? this.#goOn(task) : this.#cancelAfter(task);
    await Promise.allSettled([followed]);
    await allDone([followed, this.#tell(task)]);
  }

  /** Sends the task after one that has succeeded, if there is one and it waits for no other task. */
  async #goOn({ taskId, next, groupId, flowEnd, result, traceparent }: KeptTask): Promise<void> {
    if (next) await this.#send(next, parsed(result), traceparent);
    const group = groupId === undefined ? undefined : await this.#records.groups.memberDone(groupId, taskId);
    if (groupId !== undefined && !group && flowEnd) {
      const { end } = await this.lose(taskId, flowEnd);
      if (end) await this.ended(end);
    }
    if (!group || (group.done?.size ?? 0) < group.memberIds.length) return;
    const members = await this.#records.readAll(group.memberIds);
    // Some rows may have expired since, or belong to a later task with the same id
    if (members.filter(({ state }) => state === 'succeeded').length < group.memberIds.length) return;
    await this.#send(
      group.next,
      members.map((member) => parsed(member.result)),
      traceparent,
    );
  }

  /**
   * Ends the last task of a flow if the store has lost the row of an earlier one, so that nobody waits for it in vain.
   * Resolves to the error of the earlier task, and to the last task if its listeners must still be told.
   */
  async lose(
    taskId: string,
    flowEnd: FlowEnd,
  ): Promise<{ error: FlowLostError; end?: KeptTask | undefined }> {
    const error = new FlowLostError(taskId, flowEnd);
    // Its row may be lost too
    await this.#records.create(flowEnd);
    const { name, message } = error;
    const ended = await this.#records.giveUp(flowEnd.taskId, { name, message, reason: 'flow-lost' });
    // An earlier call may have ended it, and failed to tell its listeners
    const end = ended ?? (await this.#records.read(flowEnd.taskId));
    return { error, end: end?.error?.reason === 'flow-lost' ? end : undefined };
  }

  /** Cancels all tasks after one that has not succeeded. */
  async #cancelAfter({ taskId, next, groupId }: KeptTask): Promise<void> {
    const group = groupId === undefined ? undefined : await this.#records.groups.find(groupId);
    await this.#cancelFrom(next ?? group?.next, `The task ${taskId} before it did not succeed`);
  }

  async #cancelFrom(first: NextTask | undefined, message: string): Promise<void> {
    const cancelled: KeptTask[] = [];
    let next = first;
    while (next) {
      await this.#records.cancel(next.taskId, { name: 'TaskCancelledError', message });
      const task = await this.#records.read(next.taskId);
      // Even if it was cancelled before: its listeners may not have been told, and it has no message that would tell them
      if (task?.state === 'cancelled') cancelled.push(task);
      next = task?.next;
    }
    await allDone(cancelled.map((task) => this.#tell(task)));
  }

  async #send(next: NextTask, payload: unknown, traceparent: string | undefined): Promise<void> {
    const known = await this.#records.read(next.taskId);
    if (known?.state === 'cancelled') {
      const after = this.#cancelFrom(known.next, `The task ${known.taskId} before it was cancelled`);
      await allDone([this.#tell(known), after]);
      return;
    }
    if (known && known.state !== 'queued') return;
    try {
      const { depth = 0, subject } = known ?? {};
      // An earlier version without this limit may have written more. The task runs nevertheless; its own sends fail
      const within = Math.min(depth, MAX_DEPTH);
      await this.#forward(next, payload, { trace: traceOf(traceparent), depth: within, subject });
    } catch (error) {
      // The results together are too large for a message, and stay so
      if (!(error instanceof TaskTooLargeError)) throw error;
      await this.#cancelFrom(next, error.message);
    }
  }

  async #tell(task: KeptTask): Promise<void> {
    const { onEnd = [], traceparent, subject } = task;
    const depth = (task.depth ?? 0) + 1;
    const told = onEnd.map(async (listener) => {
      // Otherwise two tasks that listen to each other would send each other for ever
      if (depth > MAX_DEPTH) {
        const place = `the listener to the end of ${task.task}`;
        return this.#onUntold?.(new TooDeepError(listener.task, MAX_DEPTH, place), task);
      }
      const next = { ...listener, taskId: idOfEnd(task, listener) };
      await this.#forward(next, endOf(task), { trace: traceOf(traceparent), depth, subject });
    });
    await allDone(told);
  }
}

/**
 * The id of a listener's task. The same end gives the same id, so a tracked listener that is told twice runs once. An
 * effect that was kept after the end gives another id, because the listener must be told of it.
 */
function idOfEnd(row: KeptTask, { task }: Listener): string {
  const { taskId, token } = row;
  return uuidv5([taskId, token, task, ...(effectKeys(row) ?? [])].join('\n'), ENDS);
}

/** The keys of a task's kept effects. Undefined if it succeeded, or has none. */
function effectKeys({ state, effects = {} }: KeptTask): string[] | undefined {
  const keys = Object.keys(effects).toSorted();
  return state === 'succeeded' || keys.length === 0 ? undefined : keys;
}

/** The end of a task, as its listeners are told: made from its row. */
function endOf(row: KeptTask): TaskEnd {
  const { taskId, task, subject, state, attempts, token, finishedAt, updatedAt, result, error } = row;
  return {
    taskId,
    task,
    subject,
    state: state as TaskEnd['state'],
    attempts,
    token,
    at: finishedAt ?? updatedAt,
    result: state === 'succeeded' ? parsed(result) : undefined,
    error,
    effects: effectKeys(row),
  };
}

function traceOf(traceparent: string | undefined): TraceContext {
  return parseTraceparent(traceparent) ?? startTrace();
}

function parsed(json: string | undefined): unknown {
  return json === undefined ? undefined : fromJson(json);
}

/**
 * Waits for all of several promises, even if one rejects. Resolves to their values.
 *
 * @throws the error of the first that rejected, in the order of the list, once all have ended
 */
export async function allDone<Value>(begun: readonly Promise<Value>[]): Promise<Value[]> {
  await Promise.allSettled(begun);
  return Promise.all(begun);
}

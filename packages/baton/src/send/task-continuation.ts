import { v5 as uuidv5 } from 'uuid';
import { parseTraceparent, startTrace, type TraceContext } from '../telemetry/trace-context.ts';
import { type Envelope, MAX_DEPTH } from '../sqs/envelope.ts';
import { FlowLostError, TaskTooLargeError, TooDeepError } from '../task/errors.ts';
import type { FlowEnd, Listener, NextTask } from '../task/next-task.ts';
import { fromJson } from '../task/json-value.ts';
import type { TaskEnd } from '../task/task-end.ts';
import type { KeptTask, TaskRecords } from './task-records.ts';

/** The namespace of the ids of tasks that are told of an end. */
const ENDS = 'a6f2c0d4-5b8e-4f6b-9f0e-2d7c1e9b3a54';

/** Sends a task that is noted already, or one that is told of an end. */
export type ForwardTask = (
  next: NextTask,
  payload: unknown,
  sent: Pick<Envelope, 'trace' | 'subject' | 'depth'>,
) => Promise<void>;

/** Notes that an end is not told to a listener. */
type UntoldReport = (error: TooDeepError, ended: KeptTask) => void;

/**
 * Does what follows from the end of a tracked task: sends the next step of its chain or group, or cancels what cannot
 * follow any more, and tells those who listen. Everything here may be done again after a crash: a task that is sent
 * twice is run once, an end is told under the same id again, and the message of the task that ended is deleted only
 * when all of this is done.
 */
export class TaskContinuation {
  readonly #records: TaskRecords;
  readonly #forward: ForwardTask;
  readonly #onUntold: UntoldReport | undefined;

  /** @param onUntold - is called for each listener that is not told, because too many tasks led to the one that ended */
  constructor(records: TaskRecords, forward: ForwardTask, onUntold?: UntoldReport) {
    this.#records = records;
    this.#forward = forward;
    this.#onUntold = onUntold;
  }

  /**
   * Does what follows from the end of a task, by its row as the end has left it. A queue that is away, or gone, keeps
   * nothing else from being done.
   *
   * @throws SendError when SQS did not take one of the messages, and what the store throws: to be called again then
   */
  async ended(task: KeptTask): Promise<void> {
    const followed = task.state === 'succeeded' ? this.#goOn(task) : this.#cancelAfter(task);
    await Promise.allSettled([followed]);
    await allDone([followed, this.#tell(task)]);
  }

  /** Sends what follows a task that has succeeded, if anything does and it waits for no other. */
  async #goOn({ taskId, next, groupId, flowEnd, result, traceparent }: KeptTask): Promise<void> {
    if (next) await this.#send(next, parsed(result), traceparent);
    const group = groupId === undefined ? undefined : await this.#records.groups.memberDone(groupId, taskId);
    if (groupId !== undefined && !group && flowEnd) {
      const { end } = await this.lose(taskId, flowEnd);
      if (end) await this.ended(end);
    }
    if (!group || (group.done?.size ?? 0) < group.memberIds.length) return;
    const members = await this.#records.readAll(group.memberIds);
    // Some may have expired, or have been sent anew under the same ids since
    if (members.filter(({ state }) => state === 'succeeded').length < group.memberIds.length) return;
    await this.#send(
      group.next,
      members.map((member) => parsed(member.result)),
      traceparent,
    );
  }

  /**
   * Ends the last task of a flow whose earlier tasks are gone from the store. Nobody can wait for it in vain then.
   * Resolves to the error of the task that led there. Also resolves to the last task if its end must still be told: an
   * earlier try to tell it may have failed.
   */
  async lose(
    taskId: string,
    flowEnd: FlowEnd,
  ): Promise<{ error: FlowLostError; end?: KeptTask | undefined }> {
    const error = new FlowLostError(taskId, flowEnd);
    // Its row may be gone as well
    await this.#records.create(flowEnd);
    const { name, message } = error;
    const ended = await this.#records.giveUp(flowEnd.taskId, { name, message, reason: 'flow-lost' });
    const end = ended ?? (await this.#records.read(flowEnd.taskId));
    return { error, end: end?.error?.reason === 'flow-lost' ? end : undefined };
  }

  /** Cancels what follows a task that has not succeeded, and all that follows that. */
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
      // Also one that was cancelled before: its end may not have been told, and it has no message that would tell it
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
      // A sender without the bound may have noted more: the step runs all the same, and what it sends fails
      const within = Math.min(depth, MAX_DEPTH);
      await this.#forward(next, payload, { trace: traceOf(traceparent), depth: within, subject });
    } catch (error) {
      // The results together are more than a message takes: no later try changes that
      if (!(error instanceof TaskTooLargeError)) throw error;
      await this.#cancelFrom(next, error.message);
    }
  }

  async #tell(task: KeptTask): Promise<void> {
    const { onEnd = [], traceparent, subject } = task;
    const depth = (task.depth ?? 0) + 1;
    const told = onEnd.map(async (listener) => {
      // Else two tasks that listen to each other would tell each other for ever
      if (depth > MAX_DEPTH) {
        const place = `which is told the end of ${task.task}`;
        return this.#onUntold?.(new TooDeepError(listener.task, MAX_DEPTH, place), task);
      }
      const next = { ...listener, taskId: idOfEnd(task, listener) };
      await this.#forward(next, endOf(task), { trace: traceOf(traceparent), depth, subject });
    });
    await allDone(told);
  }
}

/** The same for the same end and listener: a tracked listener that is told twice runs once, unless it is told more. */
function idOfEnd(row: KeptTask, { task }: Listener): string {
  const { taskId, token } = row;
  return uuidv5([taskId, token, task, ...(effectsDespite(row) ?? [])].join('\n'), ENDS);
}

/** The keys of what a task has done though it did not succeed; nothing of one that succeeded, or has done nothing. */
function effectsDespite({ state, effects = {} }: KeptTask): string[] | undefined {
  const keys = Object.keys(effects).toSorted();
  return state === 'succeeded' || keys.length === 0 ? undefined : keys;
}

/** How a task ended, by its row. */
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
    effects: effectsDespite(row),
  };
}

function traceOf(traceparent: string | undefined): TraceContext {
  return parseTraceparent(traceparent) ?? startTrace();
}

function parsed(json: string | undefined): unknown {
  return json === undefined ? undefined : fromJson(json);
}

/**
 * Waits for all of several things that were begun, though some fail. Resolves to what they gave.
 *
 * @throws the error of the first that failed, once the last is over
 */
export async function allDone<Value>(begun: readonly Promise<Value>[]): Promise<Value[]> {
  await Promise.allSettled(begun);
  return Promise.all(begun);
}

// What follows from the end of a tracked task: the next task of its flow, and its listeners.
import { v5 as uuidv5 } from 'uuid';
import type { Room } from '../process/room.ts';
import { parseTraceparent, startTrace, type TraceContext } from '../telemetry/trace-context.ts';
import { type Envelope, MAX_DEPTH } from '../sqs/envelope.ts';
import {
  FlowLostError,
  MismatchError,
  type TaskError,
  TaskTooLargeError,
  TooDeepError,
} from '../task/errors.ts';
import { MAX_STEPS } from '../task/flow.ts';
import type { FlowEnd, Listener, NextTask } from '../task/next-task.ts';
import { fromJson } from '../task/json-value.ts';
import type { TaskEnd } from '../task/task-end.ts';
import { faultOfRow } from './row-shape.ts';
import { faultOfState } from './row-state.ts';
import { isAfter, isInFlowOf } from './flow-places.ts';
import { GroupResults } from './group-results.ts';
import type { KnownLinks } from './known-links.ts';
import { payloadHashOf } from './prepared-task.ts';
import type { KeptGroup, KeptTask, TaskRecords } from './task-records.ts';

/** The namespace (RFC 9562) of the ids of listeners' tasks. */
const ENDS = 'a6f2c0d4-5b8e-4f6b-9f0e-2d7c1e9b3a54';

/** Sends the next task of a flow, or a listener's task. */
export type ForwardTask = (
  next: NextTask,
  payload: unknown,
  sent: Pick<Envelope, 'trace' | 'subject' | 'depth'>,
) => Promise<void>;

/** Configures a continuation. */
export interface ContinuationOptions {
  readonly records: TaskRecords;
  readonly forward: ForwardTask;
  /** The links that are followed. Default: all, for tests. */
  readonly links?: KnownLinks | undefined;
  /**
   * Called if a listener is not told, because the ended task is too deep; if a link leads to a task of another flow; or if
   * the row that has the link is not signed.
   */
  readonly onUnsent?: UnsentReport | undefined;
  /** The memory for the results of groups. Default: a part of the heap. */
  readonly room?: Room | undefined;
}

/** Reports that something which the row of an ended task names is not sent. */
type UnsentReport = (error: TaskError, ended: KeptTask) => void;

/**
 * Does what follows from the end of a tracked task: sends the next task of its chain or group, or cancels the tasks that
 * can no longer run, and tells the listeners. After a crash all of this is done again, because the message of the ended
 * task is deleted only afterwards. That is safe: a task that is sent twice runs once, and so does a tracked listener.
 */
export class TaskContinuation {
  readonly #records: TaskRecords;
  readonly #results: GroupResults;
  readonly #forward: ForwardTask;
  readonly #links: KnownLinks | undefined;
  readonly #onUnsent: UnsentReport | undefined;

  constructor({ records, forward, links, onUnsent, room }: ContinuationOptions) {
    this.#results = new GroupResults(records, room);
    this.#links = links;
    this.#records = records;
    this.#forward = forward;
    this.#onUnsent = onUnsent;
  }

  /**
   * Does what follows from the end of a task. If one message cannot be sent, because its queue is unavailable or deleted,
   * all others are sent nevertheless.
   *
   * @param task - the row, as the end left it
   * @throws SendError if SQS did not accept one of the messages, UnknownLinkError if no contract of this process declares
   *   one of them, and the store's errors. Call it again then
   */
  async ended(task: KeptTask): Promise<void> {
    if (await this.#isForged(task, task)) return;
    const followed = task.state === 'succeeded' ? this.#goOn(task) : this.#cancelAfter(task);
    await Promise.allSettled([followed]);
    await allDone([followed, this.#tell(task)]);
  }

  /** Sends the task after one that has succeeded, if there is one and it waits for no other task. */
  async #goOn(task: KeptTask): Promise<void> {
    const { taskId, next, groupId, flowEnd, result } = task;
    if (next) await this.#send(next, parsed(result), taskId, task);
    const group = groupId === undefined ? undefined : await this.#records.groups.memberDone(groupId, taskId);
    if (groupId !== undefined && !group && flowEnd) {
      const { end } = await this.lose(taskId, flowEnd);
      if (end) await this.ended(end);
    }
    if (groupId === undefined || !group || !group.memberIds.includes(taskId)) return;
    try {
      await this.#results.with(group, async (results) => {
        if (results && !(await this.#isForged(group, task)))
          await this.#send(group.next, results, groupId, task);
      });
    } catch (error) {
      if (!(error instanceof TaskTooLargeError)) throw error;
      if (!(await this.#isForged(group, task))) await this.#cancelFrom(group.next, error.message, groupId);
    }
  }

  /**
   * Lets a later task of a flow have its turn if what it follows has succeeded, and its payload is the result of that. A
   * worker of an earlier version sends the next task without a word in its row. Resolves to whether its turn has come.
   */
  async takeTurn({ taskId, afterId }: KeptTask, payloadHash: string): Promise<boolean> {
    if (afterId === undefined) return false;
    const before = await this.#records.read(afterId);
    const group = before ? undefined : await this.#records.groups.find(afterId);
    const follower = before?.state === 'succeeded' && !faultOfState(before) ? before.next : group?.next;
    if (follower?.taskId !== taskId) return false;
    const hash = group ? await this.#hashOfResults(group) : payloadHashOf(parsed(before?.result));
    if (hash !== payloadHash) return false;
    return (await this.#records.turn(taskId, payloadHash, afterId)) !== undefined;
  }

  /** The payload hash of the task after a group. Undefined if the group has no results that a message can take. */
  #hashOfResults(group: KeptGroup): Promise<string | undefined> {
    return this.#results
      .with(group, async (results) => results && payloadHashOf(results))
      .catch((error: unknown) => {
        if (error instanceof TaskTooLargeError) return undefined;
        throw error;
      });
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
    const known = await this.#records.read(flowEnd.taskId);
    // A message may name any task as the end of its flow
    const group = known?.flowId === undefined ? undefined : await this.#records.groups.find(known.flowId);
    if (known && !isInFlowOf(taskId, known, group?.memberIds && group)) return { error };
    // Its row may be lost too
    if (!known) await this.#records.create(flowEnd);
    const { name, message } = error;
    const ended = await this.#records.giveUp(flowEnd.taskId, { name, message, reason: 'flow-lost' });
    // An earlier call may have ended it, and failed to tell its listeners
    const end = ended ?? (await this.#records.read(flowEnd.taskId));
    return { error, end: end?.error?.reason === 'flow-lost' ? end : undefined };
  }

  /** Cancels all tasks after one that has not succeeded. */
  async #cancelAfter(task: KeptTask): Promise<void> {
    const { taskId, next, groupId } = task;
    const message = `The task ${taskId} before it did not succeed`;
    if (next) return this.#cancelFrom(next, message, taskId);
    const group = groupId === undefined ? undefined : await this.#records.groups.find(groupId);
    if (groupId !== undefined && group?.memberIds.includes(taskId) && !(await this.#isForged(group, task)))
      await this.#cancelFrom(group.next, message, groupId);
  }

  /** Cancels a task, and those after it. Each must say in its row that it follows the one before. */
  async #cancelFrom(first: NextTask | undefined, message: string, firstAfterId: string): Promise<void> {
    const cancelled = new Map<string, KeptTask>();
    let [next, afterId] = [first, firstAfterId];
    for (let steps = 0; next && steps < MAX_STEPS && !cancelled.has(next.taskId); steps += 1) {
      const { taskId } = next;
      await this.#records.cancel(taskId, { error: { name: 'TaskCancelledError', message }, afterId });
      const task = await this.#records.read(taskId);
      if (!task || !isAfter(task, afterId) || (await this.#isForged(task, task))) break;
      // Even if it was cancelled before: its listeners may not have been told, and it has no message that would tell them
      if (task.state === 'cancelled') cancelled.set(taskId, task);
      [next, afterId] = [task.next, taskId];
    }
    await allDone([...cancelled.values()].map((task) => this.#tell(task)));
  }

  /** Sends the task after one that has ended, or after a group. Its row gets the payload that it must run with before. */
  async #send(next: NextTask, payload: unknown, afterId: string, ended: KeptTask): Promise<void> {
    const { taskId } = next;
    const ready = await this.#records.turn(taskId, payloadHashOf(payload), afterId);
    const known = ready ?? (await this.#records.read(taskId));
    if (known && !ready) return this.#leave(known, afterId, ended);
    this.#links?.checkNext(next, `The task after ${ended.task} (${ended.taskId})`);
    const { traceparent } = ended;
    try {
      const { depth = 0, subject } = known ?? {};
      // An earlier version without this limit may have written more. The task runs nevertheless; its own sends fail
      const within = Math.min(depth, MAX_DEPTH);
      await this.#forward(next, payload, { trace: traceOf(traceparent), depth: within, subject });
    } catch (error) {
      // The results together are too large for a message, and stay so
      if (!(error instanceof TaskTooLargeError)) throw error;
      await this.#cancelFrom(next, error.message, afterId);
    }
  }

  /** Sends nothing for a task that has started or ended, or that does not follow the ended one. */
  async #leave(known: KeptTask, afterId: string, ended: KeptTask): Promise<void> {
    const { taskId, state, next } = known;
    if (!isAfter(known, afterId) || state === 'queued') {
      const what = `expected the task after ${afterId} with its result as payload`;
      this.#onUnsent?.(new MismatchError(taskId, what), ended);
    } else if (state === 'cancelled' && !(await this.#isForged(known, ended))) {
      const after = this.#cancelFrom(next, `The task ${taskId} before it was cancelled`, taskId);
      await allDone([this.#tell(known), after]);
    }
  }

  /** Whether a row that names what follows may not be believed. Nothing that it names is sent or cancelled then. */
  async #isForged(row: KeptTask | KeptGroup, ended: KeptTask): Promise<boolean> {
    const error = ('state' in row && faultOfTask(row)) || (await this.#signatureFault(row));
    if (error) this.#onUnsent?.(error, ended);
    return error !== undefined;
  }

  async #signatureFault(row: KeptTask | KeptGroup): Promise<TaskError | undefined> {
    const { signatures } = this.#records;
    return signatures?.required ? signatures.faultInRow(row) : undefined;
  }

  async #tell(task: KeptTask): Promise<void> {
    const { onEnd = [], traceparent, subject } = task;
    const depth = (task.depth ?? 0) + 1;
    // Otherwise a sender could have thousands of messages sent by one row that he writes
    const listeners = [...new Map(onEnd.map((listener) => [listener.task, listener])).values()];
    const told = listeners.map(async (listener) => {
      // Otherwise two tasks that listen to each other would send each other for ever
      if (depth > MAX_DEPTH) {
        const place = `the listener to the end of ${task.task}`;
        return this.#onUnsent?.(new TooDeepError(listener.task, MAX_DEPTH, place), task);
      }
      this.#links?.checkListener(listener, `The listener to the end of ${task.task} (${task.taskId})`);
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

/** What is wrong with the row of a task, in the values of its members or in its state. */
function faultOfTask(row: KeptTask): TaskError | undefined {
  const fault = faultOfRow(row);
  if (fault === undefined) return faultOfState(row);
  return new MismatchError(row.taskId, `expected a row that Baton wrote, got ${fault}`);
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

// The references between tasks of a flow: each task's row names the task that follows it.
import * as z from 'zod';
import { queueOfLane } from './lane.ts';
import type { TrackedContract } from './task.ts';

/** A task that follows another one and gets its result as payload. */
export interface NextTask {
  readonly taskId: string;
  readonly task: string;
  /** The last task of its flow; undefined if it is the last one itself. */
  readonly flowEnd?: FlowEnd | undefined;
  /** The version of its contract when the flow was started. Default 1. */
  readonly version?: number | undefined;
  /** The largest payload that its contract allowed when the flow was started. Undefined for the default. */
  readonly maxPayloadBytes?: number | undefined;
  /** The queue that carries it. In a lane, the lane's queue, such as `payments_high`. */
  readonly queue: string;
}

/** A task that is told how another task ended. */
export type Listener = Omit<NextTask, 'taskId' | 'flowEnd'>;

/** The last task of a chain or group. Its result is the flow's result. */
export interface FlowEnd {
  readonly taskId: string;
  readonly task: string;
  readonly queue: string;
}

/** A flow's end in an envelope: a text of id, name and queue. Invalid texts are ignored. */
export const flowEndSchema = z
  .string()
  .regex(/^[\w.:-]{1,128} [\w.-]{1,128} [\w-]{1,80}$/)
  .optional()
  .catch(undefined);

/** Writes a flow's end as a text. */
export function formatFlowEnd({ taskId, task, queue }: FlowEnd): string {
  return `${taskId} ${task} ${queue}`;
}

/** Reads a flow's end from a text. */
export function parseFlowEnd(text: string | undefined): FlowEnd | undefined {
  const [taskId = '', task = '', queue = ''] = text?.split(' ') ?? [];
  return text === undefined ? undefined : { taskId, task, queue };
}

/** Adds the flow's end to the tasks of a chain, except to the last. */
export function withFlowEnd(planned: readonly NextTask[]): NextTask[] {
  const last = planned.at(-1);
  return planned.map((each) => (!last || each === last ? each : { ...each, flowEnd: flowEndOf(last) }));
}

/** Makes the flow's end of its last task. */
export function flowEndOf({ taskId, task, queue }: NextTask): FlowEnd {
  return { taskId, task, queue };
}

/** Makes a task of a flow. @throws InvalidValueError if its contract has no such lane */
export function nextTask(contract: TrackedContract, taskId: string, lane?: string): NextTask {
  const { name, version, maxPayloadBytes } = contract;
  return { taskId, task: name, version, maxPayloadBytes, queue: queueOfLane(contract, lane) };
}

import * as z from 'zod';
import { queueOfLane } from './lane.ts';
import type { TrackedContract } from './task.ts';

/** A task that takes the result of another as its payload. */
export interface NextTask {
  readonly taskId: string;
  readonly task: string;
  /** What it leads to; nothing if it is the last one itself. */
  readonly flowEnd?: FlowEnd | undefined;
  /** The version of its contract, as whoever started the flow knew it. Default 1. */
  readonly version?: number | undefined;
  /** The queue that carries it; of a lane that one's own, such as `payments_high`. */
  readonly queue: string;
}

/** A task that is told how another one ended, as whoever ends that one has to know it. */
export type Listener = Omit<NextTask, 'taskId' | 'flowEnd'>;

/** The last task of a chain or group, whose result its starter waits for. */
export interface FlowEnd {
  readonly taskId: string;
  readonly task: string;
  readonly queue: string;
}

/** The same on the wire, where an attribute is a text: id, name and queue. A broken one is ignored. */
export const flowEndSchema = z
  .string()
  .regex(/^[\w.:-]{1,128} [\w.-]{1,128} [\w-]{1,80}$/)
  .optional()
  .catch(undefined);

/** The last task of a flow as a text. */
export function formatFlowEnd({ taskId, task, queue }: FlowEnd): string {
  return `${taskId} ${task} ${queue}`;
}

/** The last task of a flow, from such a text. */
export function parseFlowEnd(text: string | undefined): FlowEnd | undefined {
  const [taskId = '', task = '', queue = ''] = text?.split(' ') ?? [];
  return text === undefined ? undefined : { taskId, task, queue };
}

/** The tasks of a chain, each but the last with what they lead to. */
export function withFlowEnd(planned: readonly NextTask[]): NextTask[] {
  const last = planned.at(-1);
  return planned.map((each) => (!last || each === last ? each : { ...each, flowEnd: flowEndOf(last) }));
}

/** The last task of a flow, as those before it know it. */
export function flowEndOf({ taskId, task, queue }: NextTask): FlowEnd {
  return { taskId, task, queue };
}

/** A task of a flow as those before it know it. @throws InvalidValueError where its contract has no such lane */
export function nextTask(contract: TrackedContract, taskId: string, lane?: string): NextTask {
  const { name, version } = contract;
  return { taskId, task: name, version, queue: queueOfLane(contract, lane) };
}

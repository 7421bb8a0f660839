import * as z from 'zod';

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

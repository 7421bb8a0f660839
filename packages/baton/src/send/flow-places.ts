// The places of tasks in their flows: the ids of a flow's tasks, and which task follows which.
import { v5 as uuidv5 } from 'uuid';
import { MAX_STEPS } from '../task/flow.ts';
import { namespaceOf } from './send-checks.ts';
import type { KeptTask } from './task-records.ts';

/** The id of a task of a flow. @param flowId - the first task of the chain, or the group */
export function idInFlow(flowId: string, index: number): string {
  return uuidv5(String(index), namespaceOf(flowId));
}

/** The ids of a chain's tasks except the first, derived from the id of the first. */
export function laterStepIds(firstId: string, steps: number): string[] {
  return Array.from({ length: steps - 1 }, (_, index) => idInFlow(firstId, index + 1));
}

/**
 * Whether a task belongs to the flow of a later task. A row without `flowId` is of no flow, unless an earlier version wrote
 * it: then it has no payload hash either.
 */
export function isInFlowOf(taskId: string, { flowId, payloadHash }: KeptTask): boolean {
  if (flowId === undefined) return payloadHash === undefined;
  if (taskId === flowId) return true;
  return Array.from({ length: MAX_STEPS }, (_, index) => idInFlow(flowId, index)).includes(taskId);
}

/**
 * Whether a task follows another task or a group. A row without `afterId` follows nothing, unless an earlier version wrote
 * it: then it has no payload hash either.
 */
export function isAfter({ afterId, payloadHash }: KeptTask, expectedId: string): boolean {
  return afterId === undefined ? payloadHash === undefined : afterId === expectedId;
}

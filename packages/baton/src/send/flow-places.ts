// The places of tasks in their flows: the ids of a flow's tasks, and which task follows which.
import { v5 as uuidv5 } from 'uuid';
import { MAX_STEPS } from '../task/flow.ts';
import { namespaceOf } from './send-checks.ts';
import type { KeptGroup, KeptTask } from './task-records.ts';

/** The id of a task of a flow. @param flowId - the first task of the chain, or the group */
export function idInFlow(flowId: string, index: number): string {
  return uuidv5(String(index), namespaceOf(flowId));
}

/** The ids of a chain's tasks except the first, derived from the id of the first. */
export function laterStepIds(firstId: string, steps: number): string[] {
  return Array.from({ length: steps - 1 }, (_, index) => idInFlow(firstId, index + 1));
}

/**
 * Whether a task is an earlier one in the flow of its last task. A row without `flowId` is of no flow, unless an earlier
 * version wrote it: then it has no payload hash either.
 *
 * @param last - the last task of the flow
 * @param group - the group that it follows. Undefined for a chain, or if the store has lost the group
 */
export function isInFlowOf(taskId: string, last: KeptTask, group?: KeptGroup): boolean {
  const { flowId, payloadHash } = last;
  if (flowId === undefined) return payloadHash === undefined;
  if (group) return group.memberIds.includes(taskId);
  if (taskId === flowId) return true;
  const places = Array.from({ length: MAX_STEPS }, (_, index) => idInFlow(flowId, index));
  const place = places.indexOf(taskId);
  const lastPlace = places.indexOf(last.taskId);
  // What follows a group has no such place. A chain's first task has the flow's id, so it has no place 0
  return lastPlace < 0 ? place >= 0 : place > 0 && place < lastPlace;
}

/**
 * Whether a task follows another task or a group. A row without `afterId` follows nothing, unless an earlier version wrote
 * it: then it has no payload hash either.
 */
export function isAfter({ afterId, payloadHash }: KeptTask, expectedId: string): boolean {
  return afterId === undefined ? payloadHash === undefined : afterId === expectedId;
}

// Starts chains and groups: writes the rows of their tasks, then sends the first tasks.
import { v5 as uuidv5 } from 'uuid';
import type { Chain, Group } from '../task/flow.ts';
import { laneWhereDeclared } from '../task/lane.ts';
import { type FlowEnd, flowEndOf, nextTask, withFlowEnd } from '../task/next-task.ts';
import type { CancelOptions, SendOptions, TaskHandle } from '../task/send-task.ts';
import type { TaskContract } from '../task/task.ts';
import type { TaskStatus } from '../task/task-status.ts';
import { formatTraceparent, startTrace } from '../telemetry/trace-context.ts';
import { checkedListeners, listenersOf } from './end-listeners.ts';
import { idInFlow, laterStepIds } from './flow-places.ts';
import type { PreparedTask } from './prepared-task.ts';
import { checkedDepth, checkedTaskId, namespaceOf } from './send-checks.ts';
import { allDone } from './task-continuation.ts';
import { KeptTaskHandle } from './task-handle.ts';
import type { NewTask, TaskRecords } from './task-records.ts';

/** The parts of a task client that start a flow. */
export interface FlowSender {
  readonly records: TaskRecords;
  readonly prepare: (
    contract: TaskContract,
    payload: unknown,
    options: SendOptions,
    nowMs: number,
    flowEnd: FlowEnd | undefined,
  ) => PreparedTask;
  /** Writes a task's row, then sends it. */
  readonly sendTracked: (
    prepared: PreparedTask,
    options: SendOptions,
    links: Pick<NewTask, 'next' | 'groupId' | 'flowEnd'>,
  ) => Promise<void>;
  readonly cancel: (taskId: string, options?: CancelOptions) => Promise<TaskStatus | undefined>;
}

/**
 * Starts a chain: writes the rows of all steps, then sends the first step. Writes the last row first, so that each step
 * has its row before the step that sends it. Resolves to the handle of the last step.
 *
 * @throws the errors of `TaskClient.start`
 */
export async function startChain(
  { records, prepare, sendTracked, cancel }: FlowSender,
  { steps }: Chain,
  payload: unknown,
  options: SendOptions,
): Promise<TaskHandle> {
  const firstId = checkedTaskId(options, 'chain');
  const ids = [firstId, ...laterStepIds(firstId, steps.length)];
  steps.forEach(({ name }, index) =>
    checkedDepth(options, name, index, `step ${index + 1} of ${steps.length}`),
  );
  const laneOf = laneWhereDeclared(steps, options.lane);
  const planned = withFlowEnd(steps.map((step, index) => nextTask(step, ids[index] ?? '', laneOf(step))));
  const [first, ...later] = planned;
  const [contract] = steps;
  const last = planned.at(-1);
  const lastContract = steps.at(-1);
  if (!first || !contract || !last || !lastContract)
    throw new RangeError(`Invalid chain: expected at least 2 tasks, got ${steps.length}`);
  const { deduplicationKey: _key, onEnd, ...sending } = options;
  const listeners = checkedListeners(lastContract, { onEnd });
  const nowMs = await records.now();
  const own = { ...sending, taskId: first.taskId, lane: laneOf(contract) };
  const prepared = prepare(contract, payload, own, nowMs, first.flowEnd);
  const { notBefore, subject, trace } = prepared;
  const shared = { parentId: options.parentId, traceparent: formatTraceparent(trace), notBefore, subject };
  const links = later.map(({ taskId, task, version = 1, queue }, index) => ({
    ...shared,
    afterId: ids[index],
    flowId: firstId,
    depth: prepared.depth + index + 1,
    taskId,
    task,
    contractVersion: version,
    queue,
    next: later[index + 1],
    onEnd: taskId === last.taskId ? listeners : listenersOf(steps[index + 1] ?? contract),
  }));
  for (const link of links.toReversed()) await records.create(link);
  await sendTracked(prepared, options, { next: later[0] });
  return new KeptTaskHandle(records, lastContract, last.taskId, async (by) => {
    // The cancellation of the first step that has not ended cancels all steps after it
    for (const taskId of ids) if ((await cancel(taskId, by))?.state === 'cancelled') break;
    return records.find(last.taskId);
  });
}

/**
 * Starts a group: writes the row of the task that takes the results and the row of the group, then sends the members.
 * Resolves to the handle of the task that takes the results.
 *
 * @throws the errors of `TaskClient.start`
 */
export async function startGroup(
  { records, prepare, sendTracked, cancel }: FlowSender,
  { members, next: joining }: Group,
  options: SendOptions,
): Promise<TaskHandle> {
  const groupId = checkedTaskId(options, 'group');
  const laneOf = laneWhereDeclared([joining, ...members.map(({ contract }) => contract)], options.lane);
  const next = nextTask(joining, uuidv5('then', namespaceOf(groupId)), laneOf(joining));
  const { deduplicationKey: _key, onEnd: another, ...sending } = options;
  const onEnd = checkedListeners(joining, { onEnd: another });
  const trace = options.trace === undefined ? startTrace() : options.trace;
  const depth = checkedDepth(options, joining.name, 1, 'which follows the group');
  const nowMs = await records.now();
  const flowEnd = flowEndOf(next);
  const prepared = members.map(({ contract, payload }, index) => {
    const taskId = idInFlow(groupId, index);
    const own = { ...sending, trace, taskId, lane: laneOf(contract) };
    return prepare(contract, payload, own, nowMs, flowEnd);
  });
  const memberIds = prepared.map(({ taskId }) => taskId);
  const { notBefore, subject } = prepared.at(-1) ?? {};
  const shared = { parentId: options.parentId, traceparent: formatTraceparent(trace), notBefore, subject };
  const { taskId, task, version = 1, queue } = next;
  const row = { ...shared, depth, taskId, task, contractVersion: version, queue, onEnd };
  await records.create({ ...row, afterId: groupId, flowId: groupId });
  await records.groups.create({ groupId, memberIds, next, notBefore });
  await Promise.all(prepared.map((each) => sendTracked(each, options, { groupId, flowEnd })));
  return new KeptTaskHandle(records, joining, next.taskId, async (by) => {
    const statuses = await allDone([...memberIds, next.taskId].map((id) => cancel(id, by)));
    return statuses.at(-1);
  });
}

import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { chain, group, member } from '../../task/flow.ts';
import { RejectTask } from '../../task/errors.ts';
import { defineTask } from '../../task/task.ts';
import { TaskClient } from '../task-client.ts';
import type { ForwardTask } from '../task-continuation.ts';
import { type TaskEnd, taskEndSchema } from '../../task/task-end.ts';
import * as z from 'zod';
import { type Handler, TrackedWork, work } from '../../tracked/tests/tracked-work.ts';
import { messageBody } from '../../../tests/support/messages.ts';

const listener = (name: string) =>
  defineTask({
    name,
    queue: 'default',
    payload: taskEndSchema,
    result: z.object({}),
    retry: { maxAttempts: 8, baseSeconds: 5 },
    timeoutSeconds: 20,
  });
const listening = listener('tests.listening');
const watching = listener('tests.watching');
const told = defineTask({ ...work, onEnd: listening });
const again = defineTask({ ...work, name: 'tests.again', payload: work.result });

const never = jest.fn<Handler>();
const done: Handler = ({ text }) => ({ length: text.length });
const rejecting: Handler = () => {
  throw new RejectTask('no such order');
};

let tracked: TrackedWork;
let tasks: TaskClient;
beforeAll(async () => {
  tracked = await TrackedWork.start();
  const { queueUrls } = tracked.backends;
  const send = async ({ input: { Entries } }: { input: { Entries: object[] } }) => ({ Successful: Entries });
  tasks = new TaskClient({ sqs: { send } as never, queueUrls, source: 'tests', records: tracked.store });
});
beforeEach(() => {
  never.mockClear();
  tracked.begin();
});
afterAll(() => tracked.stop());

/** Sends the messages that follow from an end, except to one listener, whose queue does not exist. */
const withoutQueue: ForwardTask = async (next, payload, sending) => {
  if (next.task === listening.name) throw new Error('QueueDoesNotExist');
  return tracked.forward(next, payload, sending);
};

/** The listeners that were told, with the task that ended. */
const ends = () => tracked.forwarded.map(({ next, payload }) => [next.task, (payload as TaskEnd).task]);

describe('the end of a task', () => {
  test('is told to all other listeners and cancels the rest of its chain, even if one listener has no queue', async () => {
    const middle = defineTask({ ...again, name: 'tests.middle', onEnd: listening });
    const last = defineTask({ ...again, name: 'tests.last', onEnd: watching });
    const { taskId } = tracked;
    const steps = chain([told, middle, last]);
    const handle = await tasks.start(steps, { text: 'four' }, { taskId });
    await expect(tracked.run(rejecting, { forward: withoutQueue })).resolves.toMatchObject({
      kind: 'release',
    });
    await expect(handle.status()).resolves.toMatchObject({ state: 'cancelled' });
    expect(ends()).toEqual([[watching.name, last.name]]);
    const outcome = await tracked.run(never);
    expect(outcome).toMatchObject({ kind: 'dead-letter', reason: 'rejected' });
    expect(ends()).toContainEqual([listening.name, work.name]);
    expect(ends()).toContainEqual([listening.name, middle.name]);
  });

  test('is told to the second listener, even if the first has no queue', async () => {
    const options = { taskId: tracked.taskId, onEnd: watching };
    await tasks.send(told, { text: 'four' }, options);
    await expect(tracked.run(done, { forward: withoutQueue })).resolves.toMatchObject({ kind: 'release' });
    expect(tracked.forwarded.map(({ next }) => next.task)).toEqual([watching.name]);
    await expect(tracked.run(never)).resolves.toMatchObject({ kind: 'done' });
    expect(tracked.forwarded.map(({ next }) => next.task)).toContain(listening.name);
  });

  test('is told even if the next step has no queue', async () => {
    const next = defineTask({ ...again, name: listening.name });
    const options = { taskId: tracked.taskId };
    await tasks.start(chain([defineTask({ ...work, onEnd: watching }), next]), { text: 'four' }, options);
    await expect(tracked.run(done, { forward: withoutQueue })).resolves.toMatchObject({ kind: 'release' });
    expect(tracked.told).toMatchObject([{ state: 'succeeded' }]);
  });

  test('of a cancelled group cancels all its tasks, even if one listener has no queue', async () => {
    const sum = defineTask({ ...work, name: 'tests.sum', payload: z.array(work.result) });
    const members = [member(told, { text: 'one' }), member(work, { text: 'two' })];
    const handle = await tasks.start(group(members, sum), { taskId: tracked.taskId, onEnd: watching });
    const away = jest.spyOn(tasks as { forward: ForwardTask }, 'forward').mockImplementation(withoutQueue);
    await expect(handle.cancel()).rejects.toThrow('QueueDoesNotExist');
    away.mockRestore();
    const { memberIds = [] } = (await tracked.store.groups.find(tracked.taskId)) ?? {};
    const rows = await tracked.store.readAll([...memberIds, handle.taskId]);
    expect(rows.map(({ state }) => state)).toEqual(['cancelled', 'cancelled', 'cancelled']);
    expect(tracked.forwarded.map(({ next }) => next.task)).toContain(watching.name);
  });

  test('of a flow without its rows is told later, if its listener had no queue at first', async () => {
    const { store, taskId } = tracked;
    const flowEnd = { taskId: randomUUID(), task: 'tests.last', queue: 'default' };
    await store.create({ ...flowEnd, onEnd: [{ task: listening.name, queue: 'default' }] });
    const body = messageBody({ taskId, task: work.name, data: { text: 'four' }, flowEnd });
    const outcome = await tracked.run(never, { change: { body }, forward: withoutQueue });
    expect(outcome).toMatchObject({ kind: 'release', error: { message: 'QueueDoesNotExist' } });
    await expect(store.read(taskId)).resolves.toMatchObject({ state: 'queued', attempts: 0 });
    const clock = jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 600_000);
    const second = await tracked.run(never, { change: { body } }).finally(() => clock.mockRestore());
    expect(second).toMatchObject({ kind: 'dead-letter', reason: 'flow-lost' });
    expect(tracked.forwarded).toMatchObject([
      { next: { task: listening.name }, payload: { taskId: flowEnd.taskId, state: 'dead' } },
    ]);
    expect(never).not.toHaveBeenCalled();
  });
});

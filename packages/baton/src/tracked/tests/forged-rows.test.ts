// The attacks of a sender by rows: he may write a sender's attributes in any row, and send to some queues.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { group, member } from '../../task/flow.ts';
import { AttackedStage, bill, count, pay, sum, told } from './attacked-stage.ts';

let stage: AttackedStage;
beforeAll(async () => {
  stage = await AttackedStage.start();
});
beforeEach(() => stage.begin());
afterAll(() => stage.stop());

const MISMATCH = { kind: 'dead-letter', reason: 'mismatch' };
const DONE = { kind: 'done' };

test("a group that a sender writes does not give him the result of another's task", async () => {
  const { taskId: victim } = await stage.tasks.send(pay, { to: 'Ann' });
  await stage.receiveSent(0);
  stage.begin();
  const [groupId, next, ...own] = Array.from({ length: 5 }, () => randomUUID());
  const memberIds = [...own.slice(0, 2), victim];
  const joining = { taskId: next ?? '', task: sum.name, queue: sum.queue };
  await stage.store.groups.create({ groupId: groupId ?? '', memberIds, next: joining });
  for (const taskId of own.toReversed()) {
    await stage.store.create({ taskId, task: count.name, queue: count.queue, groupId });
    await expect(stage.receive({ taskId, task: count.name, data: 1 })).resolves.toMatchObject(DONE);
  }
  expect(stage.sent).toEqual([]);
});

describe('a row that no worker wrote', () => {
  const onEnd = [{ task: told.name, queue: told.queue }];

  test.each(['succeeded', 'failed', 'dead', 'cancelled'])(
    'tells nobody that its task is %s',
    async (state) => {
      const taskId = randomUUID();
      await stage.store.create({ taskId, task: count.name, queue: count.queue, subject: 'order-1', onEnd });
      await stage.write(taskId, { state, token: 1000 });
      await expect(stage.receive({ taskId, task: count.name, data: 1 })).resolves.toMatchObject(MISMATCH);
      expect(stage.sent).toEqual([]);
    },
  );

  test("tells nobody of the end of another service's task, and does not end, if its queue is not that task's", async () => {
    const taskId = randomUUID();
    await stage.store.create({ taskId, task: bill.name, queue: count.queue, subject: 'order-1', onEnd });
    await expect(
      stage.receive({ taskId, task: bill.name, data: 1 }, { queue: count.queue }),
    ).resolves.toMatchObject(MISMATCH);
    await expect(stage.stateOf(taskId)).resolves.toBe('queued');
    expect(stage.sent).toEqual([]);
  });

  test('has a listener thousands of times: it is told once', async () => {
    const { taskId } = await stage.tasks.send(pay, { to: 'Ann' });
    await stage.write(taskId, { onEnd: Array.from({ length: 2000 }, () => onEnd[0]) });
    const before = stage.sent.length;
    await expect(stage.receiveSent(0)).resolves.toMatchObject(DONE);
    expect(stage.sent).toHaveLength(before + 1);
  });

  test.each<[string, Readonly<Record<string, unknown>>]>([
    ['a token that is no number', { token: 'x' }],
    ['attempts that are no number', { attempts: 'x' }],
    ['a number that JavaScript cannot hold', { attempts: 9_007_199_254_740_993n }],
    ['a queue that is no text', { queue: 5 }],
    ['a subject of 170 kB', { subject: 'x'.repeat(170_000) }],
    ['listeners that are no list', { onEnd: 'x' }],
    ['an end that it had, and a subject of 170 kB', { subject: 'x'.repeat(170_000), state: 'succeeded' }],
  ])('has %s: its message becomes a dead letter, and nobody is told', async (_what, attributes) => {
    const { taskId } = await stage.tasks.send(pay, { to: 'Ann' }, { onEnd: told });
    if ('state' in attributes) await stage.receiveSent(0);
    await stage.write(taskId, attributes);
    const before = stage.sent.length;
    await expect(stage.receiveSent(0)).resolves.toMatchObject(MISMATCH);
    expect(stage.sent).toHaveLength(before);
  });

  test('is no larger than its result when a group reads it', async () => {
    const handle = await stage.tasks.start(group([member(count, 1), member(count, 2)], sum));
    const [first = ''] = stage.taskIds;
    await stage.receiveSent(0);
    await stage.write(first, { parentId: 'x'.repeat(300_000) });
    await expect(stage.store.readResults([first])).resolves.toEqual([
      { taskId: first, state: 'succeeded', result: '2' },
    ]);
    await stage.receiveSent(1);
    await stage.receiveSent(2);
    await expect(handle.result()).resolves.toBe(5);
  });

  test('says that its task runs: the task runs all the same', async () => {
    const { taskId } = await stage.tasks.send(pay, { to: 'Ann' });
    await stage.write(taskId, { state: 'running' });
    await expect(stage.receiveSent(0)).resolves.toMatchObject(DONE);
    await expect(stage.stateOf(taskId)).resolves.toBe('succeeded');
  });

  test('says that its task runs: the task is given up all the same if no worker knows it', async () => {
    const { taskId } = await stage.tasks.send(bill, 1);
    await stage.write(taskId, { state: 'running' });
    await expect(stage.receiveSent(0)).resolves.toMatchObject({ reason: 'unknown-task' });
    await expect(stage.stateOf(taskId)).resolves.toBe('dead');
  });
});

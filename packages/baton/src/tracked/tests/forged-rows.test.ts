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

  test('has a listener sixteen times: it is told once', async () => {
    const { taskId } = await stage.tasks.send(pay, { to: 'Ann' });
    await stage.write(taskId, { onEnd: Array.from({ length: 16 }, () => onEnd[0]) });
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
    ['thousands of listeners', { onEnd: Array.from({ length: 2000 }, () => onEnd[0]) }],
    ['attempts of less than 0', { attempts: -1000 }],
    ['a token of less than 0', { token: -5 }],
    ['a contract version of 0', { contractVersion: 0 }],
    ['a contract version that is no number', { contractVersion: 'x' }],
    ['a depth of less than 0', { depth: -1 }],
    ['an earliest start that is no time', { notBefore: 'zzz' }],
    ['an earliest start on a day that does not exist', { notBefore: '2026-02-31T00:00:00.000Z' }],
    ['an earliest start in thousands of years', { notBefore: '9999-01-01T00:00:00.000Z' }],
    ['a rest of thousands of years', { nextAttemptAt: '9999-01-01T00:00:00.000Z' }],
    ['a time of its send that is no time', { createdAt: 'x' }],
    ['an end that it had, and a subject of 170 kB', { subject: 'x'.repeat(170_000), state: 'succeeded' }],
  ])('has %s: its message becomes a dead letter, and nobody is told', async (_what, attributes) => {
    const { taskId } = await stage.tasks.send(pay, { to: 'Ann' }, { onEnd: told });
    if ('state' in attributes) await stage.receiveSent(0);
    await stage.write(taskId, attributes);
    const before = stage.sent.length;
    await expect(stage.receiveSent(0)).resolves.toMatchObject(MISMATCH);
    expect(stage.sent).toHaveLength(before);
    await expect(stage.store.read(taskId)).resolves.not.toMatchObject({ state: 'running' });
  });

  test('is found out only by the claim of its own message: the task ends, and nobody is told', async () => {
    const { taskId } = await stage.tasks.send(pay, { to: 'Ann' }, { onEnd: told });
    await stage.write(taskId, { contractVersion: 0 });
    await expect(stage.receiveSent(0)).resolves.toMatchObject(MISMATCH);
    const end = { state: 'dead', attempts: 0, error: { reason: 'mismatch' } };
    await expect(stage.store.find(taskId)).resolves.toMatchObject(end);
    expect(stage.sent).toHaveLength(1);
    await stage.write(taskId, { contractVersion: 1 });
    // Once it was mended, its dead letter can be put back
    await expect(stage.receiveSent(0, {})).resolves.toMatchObject(DONE);
    await expect(stage.stateOf(taskId)).resolves.toBe('succeeded');
  });

  test('lets a task that no worker knows wait for thousands of years: its message becomes a dead letter', async () => {
    const { taskId } = await stage.tasks.send(bill, 1);
    await stage.write(taskId, { notBefore: '9999-01-01T00:00:00.000Z' });
    await expect(stage.receiveSent(0)).resolves.toMatchObject(MISMATCH);
  });

  test('has no counts before its first attempt, for a sender may not write them: the task is tried as often as its contract says', async () => {
    const { taskId } = await stage.tasks.send(pay, { to: 'Ann' }, { onEnd: told });
    await expect(stage.store.find(taskId)).resolves.toMatchObject({ state: 'queued', attempts: 0 });
    stage.does = () => {
      throw new Error('temporary');
    };
    for (let receives = 0; receives < 6; receives += 1) {
      await stage.receiveSent(0);
      stage.aheadMs += 5000;
    }
    expect(stage.handled).toHaveLength(pay.retry.maxAttempts);
    await expect(stage.store.find(taskId)).resolves.toMatchObject({ state: 'dead', attempts: 3 });
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

// The attacks of a sender on other services' tasks. He may send to some queues and write rows of new tasks, no more.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { chain, group, member } from '../../task/flow.ts';
import { RejectTask } from '../../task/errors.ts';
import type { Listener } from '../../task/next-task.ts';
import type { DeadLetterOutcome } from '../../task/outcome.ts';
import { idInFlow } from '../../send/flow-places.ts';
import { AttackedStage, bill, count, pay, sum, told } from './attacked-stage.ts';

let stage: AttackedStage;
beforeAll(async () => {
  stage = await AttackedStage.start();
});
beforeEach(() => stage.begin());
afterAll(() => stage.stop());

/** The outcome of a message that is no message of the task that it names. */
const MISMATCH = { kind: 'dead-letter', reason: 'mismatch' };
const OUT_OF_TURN = { kind: 'dead-letter', reason: 'out-of-turn' };
const DONE = { kind: 'done' };

describe("a message with another task's id", () => {
  test('and its own contract does not end that task', async () => {
    const { taskId } = await stage.tasks.send(pay, { to: 'Ann' });
    await expect(stage.receive({ taskId, task: count.name, data: 1 })).resolves.toMatchObject(MISMATCH);
    await expect(stage.stateOf(taskId)).resolves.toBe('queued');
    await expect(stage.receiveSent(0)).resolves.toMatchObject(DONE);
    expect(stage.handled).toEqual([[pay.name, { to: 'Ann' }]]);
  });

  test('and another payload does not run', async () => {
    const { taskId } = await stage.tasks.send(pay, { to: 'Ann' });
    await expect(stage.receive({ taskId, task: pay.name, data: { to: 'Eve' } })).resolves.toMatchObject(
      MISMATCH,
    );
    await expect(stage.receiveSent(0)).resolves.toMatchObject(DONE);
    expect(stage.handled).toEqual([[pay.name, { to: 'Ann' }]]);
  });

  test('takes a running task from nobody, whatever claims it names', async () => {
    const { taskId } = await stage.tasks.send(pay, { to: 'Ann' });
    const row = await stage.claim(taskId, pay, { to: 'Ann' });
    const forged = { taskId, task: pay.name, data: { to: 'Eve' } };
    const attributes = { 'baton.unconcluded': row?.claimId ?? '' };
    await expect(stage.receive(forged, { attributes })).resolves.toMatchObject(MISMATCH);
    await expect(stage.store.read(taskId)).resolves.toMatchObject({ state: 'running', token: row?.token });
  });

  test('does not run with another payload once the worker of the task has died', async () => {
    const { taskId } = await stage.tasks.send(pay, { to: 'Ann' });
    await stage.claim(taskId, pay, { to: 'Ann' }, -5);
    const forged = { taskId, task: pay.name, data: { to: 'Eve' } };
    await expect(stage.receive(forged)).resolves.toMatchObject(MISMATCH);
    expect(stage.handled).toEqual([]);
  });

  test('and an unknown contract does not end that task', async () => {
    const { taskId } = await stage.tasks.send(pay, { to: 'Ann' });
    await expect(stage.receive({ taskId, task: 'eve.unknown' })).resolves.toMatchObject(MISMATCH);
    // The name of the contract alone is not enough
    await expect(
      stage.receive({ taskId, task: pay.name, version: 9, data: { to: 'Eve' } }),
    ).resolves.toMatchObject(MISMATCH);
    await expect(stage.stateOf(taskId)).resolves.toBe('queued');
  });

  test('in another queue does not run, even with its contract and payload', async () => {
    const { taskId } = await stage.tasks.send(pay, { to: 'Ann' });
    const copy = { taskId, task: pay.name, data: { to: 'Ann' } };
    await expect(stage.receive(copy, { queue: count.queue })).resolves.toMatchObject(MISMATCH);
    expect(stage.handled).toEqual([]);
  });
});

test('a task of no flow runs, although a message with its payload says that its flow is lost', async () => {
  const { taskId } = await stage.tasks.send(pay, { to: 'Ann' });
  await new Promise((resolve) => setTimeout(resolve, 2));
  const flowEnd = { taskId: randomUUID(), task: pay.name, queue: pay.queue };
  stage.aheadMs = 1000;
  await stage.receive({ taskId, task: pay.name, data: { to: 'Ann' }, flowEnd });
  await expect(stage.stateOf(taskId)).resolves.toBe('succeeded');
});

test('a task without a row does not run from the queue of another contract', async () => {
  const forged = { taskId: randomUUID(), task: pay.name, data: { to: 'Eve' } };
  await expect(stage.receive(forged, { queue: count.queue })).resolves.toMatchObject(MISMATCH);
  expect(stage.handled).toEqual([]);
});

describe('a task that failed', () => {
  const fails = async () => {
    stage.does = () => {
      throw new RejectTask('no money');
    };
    const { taskId } = await stage.tasks.send(pay, { to: 'Ann' });
    const { end } = (await stage.receiveSent(0)) as DeadLetterOutcome;
    stage.does = undefined;
    return { taskId, end };
  };

  test.each([
    ['deadAt', { 'baton.details': '{"deadAt":"2999-01-01T00:00:00.000Z"}', 'baton.sent-at': '0' }],
    ['the note of a copy', { 'baton.dead-at': '2999-01-01T00:00:00.000Z', 'baton.sent-at': '0' }],
    ['the time of its send', { 'baton.sent-at': '99999999999999' }],
    ['nothing', {}],
  ])('does not start again with another payload by a forged %s', async (_what, attributes) => {
    const { taskId } = await fails();
    const forged = { taskId, task: pay.name, data: { to: 'Eve' } };
    await expect(stage.receive(forged, { attributes })).resolves.toMatchObject(MISMATCH);
    await expect(stage.stateOf(taskId)).resolves.toBe('failed');
    expect(stage.handled).toEqual([[pay.name, { to: 'Ann' }]]);
  });

  test('starts again if an operator puts its dead letter back', async () => {
    const { taskId, end } = await fails();
    const attributes = { 'baton.details': JSON.stringify({ deadAt: end?.at }) };
    await expect(stage.receiveSent(0, attributes)).resolves.toMatchObject(DONE);
    await expect(stage.stateOf(taskId)).resolves.toBe('succeeded');
  });
});

describe('a chain', () => {
  const start = async () => {
    const handle = await stage.tasks.start(chain([count, count, count]), 1);
    const [first = ''] = stage.taskIds;
    const second = (await stage.store.read(first))?.next?.taskId ?? '';
    return { handle, first, second };
  };

  test.each([
    ['its true payload', 2],
    ['another payload', 7],
  ])('does not run a step before its turn with %s, and goes on unharmed', async (_what, data) => {
    const { handle, second } = await start();
    const forged = { taskId: second, task: count.name, data };
    await expect(stage.receive(forged)).resolves.toMatchObject(OUT_OF_TURN);
    expect(stage.handled).toEqual([]);
    await stage.receiveAll();
    await expect(handle.result()).resolves.toBe(4);
    expect(stage.handled).toEqual([1, 2, 3].map((number) => [count.name, number]));
  });

  test('does not run a step with another payload once its turn has come', async () => {
    const { second } = await start();
    await stage.receiveSent(0);
    await expect(stage.receive({ taskId: second, task: count.name, data: 7 })).resolves.toMatchObject(
      MISMATCH,
    );
    await expect(stage.receiveSent(1)).resolves.toMatchObject(DONE);
    expect(stage.handled).toEqual([1, 2].map((number) => [count.name, number]));
  });

  test('does not end because a message says that its flow is lost', async () => {
    const { handle } = await start();
    const flowEnd = { taskId: handle.taskId, task: count.name, queue: count.queue };
    await stage.receive({ taskId: randomUUID(), task: count.name, data: 1, flowEnd });
    await expect(stage.stateOf(handle.taskId)).resolves.toBe('queued');
    await stage.receiveAll();
    await expect(handle.result()).resolves.toBe(4);
  });

  test('does not end because a message has the id of a place in it that no task has', async () => {
    const { handle, first } = await start();
    const flowEnd = { taskId: handle.taskId, task: count.name, queue: count.queue };
    for (const place of [0, 2, 3, 57]) {
      const forged = { taskId: idInFlow(first, place), task: count.name, data: 7, flowEnd };
      await stage.receive(forged);
      await expect(stage.stateOf(handle.taskId)).resolves.toBe('queued');
    }
    await stage.receiveAll();
    await expect(handle.result()).resolves.toBe(4);
  });

  test('that the version before continues goes on: its worker leaves no word that a turn has come', async () => {
    const { handle, first, second } = await start();
    await stage.succeeds(first, count, 1, 2);
    await stage.receive({ taskId: second, task: count.name, data: 2 });
    await stage.receiveSent(1);
    await expect(handle.result()).resolves.toBe(4);
  });
});

describe('a group', () => {
  const members = [member(count, 1), member(count, 2)] as const;

  test('does not run the task after it before its turn, and goes on unharmed', async () => {
    const handle = await stage.tasks.start(group(members, sum));
    const forged = { taskId: handle.taskId, task: sum.name, data: [2, 3] };
    await expect(stage.receive(forged)).resolves.toMatchObject(OUT_OF_TURN);
    await stage.receiveAll();
    await expect(handle.result()).resolves.toBe(5);
  });

  test('that the version before continues goes on', async () => {
    const handle = await stage.tasks.start(group(members, sum));
    const [first = '', second = ''] = stage.taskIds;
    await stage.succeeds(first, count, 1, 2);
    await stage.succeeds(second, count, 2, 3);
    await stage.receive({ taskId: handle.taskId, task: sum.name, data: [2, 3] });
    await expect(handle.result()).resolves.toBe(5);
  });
});

test('a group does not end because a message has the id of a place in it that no member has', async () => {
  const handle = await stage.tasks.start(group([member(count, 1)], sum));
  const { groupId = '' } = (await stage.store.read(stage.taskIds[0] ?? '')) ?? {};
  const flowEnd = { taskId: handle.taskId, task: sum.name, queue: sum.queue };
  await stage.receive({ taskId: idInFlow(groupId, 57), task: count.name, data: 7, flowEnd });
  await stage.receiveAll();
  await expect(handle.result()).resolves.toBe(2);
});

describe("a link from a sender's own task to another task", () => {
  /** A sender's own task with links that he wrote himself. */
  const linked = async (links: object, data: unknown = 1) => {
    const taskId = randomUUID();
    await stage.store.create({ taskId, task: count.name, queue: count.queue, ...links });
    return { taskId, task: count.name, data };
  };
  const nextTo = (taskId: string) => ({ next: { taskId, task: pay.name, queue: pay.queue } });

  test('does not send that task another payload', async () => {
    const { taskId } = await stage.tasks.send(pay, { to: 'Ann' });
    await stage.receive(await linked(nextTo(taskId)));
    await stage.receiveAll();
    expect(stage.handled.filter(([task]) => task === pay.name)).toEqual([[pay.name, { to: 'Ann' }]]);
  });

  test('does not cancel that task', async () => {
    const { taskId } = await stage.tasks.send(pay, { to: 'Ann' });
    stage.does = () => {
      throw new RejectTask('on purpose');
    };
    await stage.receive(await linked(nextTo(taskId)));
    await expect(stage.stateOf(taskId)).resolves.toBe('queued');
  });

  test.each([['fails'], ['succeeds']])(
    'of a group does not cancel what follows it if his task %s',
    async (how) => {
      const handle = await stage.tasks.start(group([member(count, 1)], sum));
      const { groupId } = (await stage.store.read(stage.taskIds[0] ?? '')) ?? {};
      if (how === 'fails')
        stage.does = () => {
          throw new RejectTask('on purpose');
        };
      await stage.receive(await linked({ groupId }));
      stage.does = undefined;
      await stage.receiveAll();
      await expect(handle.result()).resolves.toBe(2);
    },
  );

  test('does not end a flow that his task does not belong to', async () => {
    const handle = await stage.tasks.start(chain([count, count]), 1);
    const flowEnd = { taskId: handle.taskId, task: count.name, queue: count.queue };
    await stage.receive(await linked({ groupId: randomUUID(), flowEnd }));
    await expect(stage.stateOf(handle.taskId)).resolves.toBe('queued');
  });
});

describe('what a row says that follows its task', () => {
  const row = async (links: object) => {
    const taskId = randomUUID();
    await stage.store.create({ taskId, task: count.name, queue: count.queue, ...links });
    return stage.receive({ taskId, task: count.name, data: 1 });
  };
  const REFUSED = { kind: 'release', error: { name: 'UnknownLinkError' } };

  test.each<[string, Listener]>([
    ['a task that no contract declares', { task: 'eve.steal', queue: 'bills' }],
    ['a declared task on another queue', { task: pay.name, queue: 'bills' }],
    ['a lane that its contract does not have', { task: pay.name, queue: 'payments_high' }],
    ['a path from its queue to another', { task: pay.name, queue: 'payments_/../baton-test-bills' }],
    ['an untracked task', { task: told.name, queue: told.queue }],
  ])('is not sent to %s, and the message comes back', async (_what, next) => {
    await expect(row({ next: { ...next, taskId: randomUUID() } })).resolves.toMatchObject(REFUSED);
    expect(stage.sent).toEqual([]);
  });

  test.each<[string, Listener]>([
    ['a task that no contract declares', { task: 'eve.steal', queue: 'bills' }],
    ['a declared listener on another queue', { task: told.name, queue: 'payments' }],
    ['a path from its queue to another', { task: told.name, queue: 'ends_/../baton-test-bills' }],
    ['a declared task that is no listener', { task: pay.name, queue: pay.queue }],
  ])('is not told to %s, by a worker or by a service that cancels it', async (_what, listener) => {
    await expect(row({ onEnd: [listener] })).resolves.toMatchObject(REFUSED);
    const taskId = randomUUID();
    await stage.store.create({ taskId, task: count.name, queue: count.queue, onEnd: [listener] });
    // The cancellation holds, and leaves the telling to a worker that knows the listener
    await expect(stage.tasks.cancel(taskId)).resolves.toMatchObject({ state: 'cancelled' });
    expect(stage.sent).toEqual([]);
  });

  test('is sent where a contract declares it, in any lane', async () => {
    const next = { taskId: randomUUID(), task: count.name, queue: 'numbers_high' };
    await expect(row({ next, onEnd: [{ task: told.name, queue: told.queue }] })).resolves.toMatchObject(DONE);
    expect(stage.sent.map(({ queue }) => queue).toSorted()).toEqual(['ends', 'numbers_high']);
  });
});

test('a chain of another service that a sender links to itself comes to an end', async () => {
  const [one, two] = [randomUUID(), randomUUID()];
  const row = (taskId: string, next: string) => ({
    taskId,
    task: bill.name,
    queue: bill.queue,
    next: { taskId: next, task: bill.name, queue: bill.queue },
    afterId: next,
    flowId: one,
  });
  await stage.store.create(row(one, two));
  await stage.store.create(row(two, one));
  await expect(stage.tasks.cancel(one)).resolves.toMatchObject({ state: 'cancelled' });
  await expect(stage.stateOf(two)).resolves.toBe('cancelled');
}, 5000);

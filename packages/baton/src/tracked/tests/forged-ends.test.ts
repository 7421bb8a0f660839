// A sender writes what only a worker may write, or so much that no worker can write any more.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { chain } from '../../task/flow.ts';
import { RejectTask } from '../../task/errors.ts';
import type { TaskEnd } from '../../task/task-end.ts';
import { faultOfRow } from '../../send/row-shape.ts';
import { CANCEL_ATTRIBUTES, FLOW_ATTRIBUTES, SENDER_ATTRIBUTES } from '../writable-attributes.ts';
import { AttackedStage, bill, count, pay, told } from './attacked-stage.ts';

let stage: AttackedStage;
beforeAll(async () => {
  stage = await AttackedStage.start();
});
beforeEach(() => stage.begin());
afterAll(() => stage.stop());

const MISMATCH = { kind: 'dead-letter', reason: 'mismatch' };
const SECOND_AGO = () => Math.floor(Date.now() / 1000) - 1;
/** Quotas in Amazon DynamoDB. */
const MAX_ROW_BYTES = 400 * 1024;
const queues = () => stage.sent.map(({ queue }) => queue);

/** Starts a chain of two tasks with a listener to its end. Resolves to the id of the second. */
async function startChain(): Promise<string> {
  const { taskId } = await stage.tasks.start(chain([count, count]), 1, { onEnd: told });
  return taskId;
}

/** Fills a row up to what DynamoDB takes. */
async function fill(taskId: string, name: string): Promise<void> {
  let [fits, tooMany] = [0, MAX_ROW_BYTES];
  while (tooMany - fits > 1) {
    const bytes = Math.floor((fits + tooMany) / 2);
    const writing = stage.write(taskId, { [name]: 'x'.repeat(bytes) });
    const [{ status }] = await Promise.allSettled([writing]);
    [fits, tooMany] = status === 'fulfilled' ? [bytes, tooMany] : [fits, bytes];
  }
  await stage.write(taskId, { [name]: 'x'.repeat(fits) });
}

describe('a task that only its row calls ended', () => {
  test.each(['succeeded', 'failed', 'dead', 'cancelled'])(
    'is %s: its canceller tells nobody',
    async (state) => {
      const { taskId } = await stage.tasks.send(pay, { to: 'Ann' }, { onEnd: told });
      await stage.write(taskId, { state });
      await stage.tasks.cancel(taskId);
      expect(queues()).toEqual(['payments']);
    },
  );

  test('is the cancelled second of a chain: nobody is told once the first has succeeded', async () => {
    const second = await startChain();
    await stage.write(second, { state: 'cancelled' });
    await expect(stage.receiveSent(0)).resolves.toMatchObject({ kind: 'done' });
    expect(queues()).toEqual(['numbers']);
  });

  test('is the cancelled second of a chain: nobody is told once the first has failed', async () => {
    const second = await startChain();
    await stage.write(second, { state: 'cancelled' });
    stage.does = () => {
      throw new RejectTask('no');
    };
    await expect(stage.receiveSent(0)).resolves.toMatchObject({ reason: 'rejected' });
    expect(queues()).toEqual(['numbers']);
  });

  test('has failed, and has succeeded by its row: the task after it does not run', async () => {
    await startChain();
    const [first = ''] = stage.taskIds;
    stage.does = () => {
      throw new RejectTask('no');
    };
    await stage.receiveSent(0);
    const before = stage.sent.length;
    await stage.write(first, { state: 'succeeded' });
    await expect(stage.receiveSent(0)).resolves.toMatchObject(MISMATCH);
    expect(stage.sent).toHaveLength(before);
  });

  test('waits for its next attempt, and has succeeded by its row: the task after it does not run', async () => {
    await startChain();
    const [first = ''] = stage.taskIds;
    stage.does = () => {
      throw new Error('temporary');
    };
    await expect(stage.receiveSent(0)).resolves.toMatchObject({ kind: 'retry' });
    await stage.write(first, { state: 'succeeded' });
    await expect(stage.receiveSent(0)).resolves.toMatchObject(MISMATCH);
    expect(queues()).toEqual(['numbers']);
  });
});

describe('a task that only its row calls waiting', () => {
  test.each(['queued', 'retrying'])(
    'runs, and is %s by its row: it does not run twice at a time',
    async (state) => {
      const { taskId } = await stage.tasks.send(pay, { to: 'Ann' });
      stage.does = async () => {
        stage.does = undefined;
        await stage.write(taskId, { state });
        await expect(stage.receiveSent(0)).resolves.toMatchObject(MISMATCH);
        return 1;
      };
      await stage.receiveSent(0);
      expect(stage.handled).toHaveLength(1);
    },
  );

  test.each(['queued', 'retrying', 'running'])(
    'has succeeded, and is %s by its row: it does not run again',
    async (state) => {
      const { taskId } = await stage.tasks.send(pay, { to: 'Ann' });
      await stage.receiveSent(0);
      await stage.write(taskId, { state });
      stage.aheadMs = 60_000;
      await expect(stage.receiveSent(0)).resolves.toMatchObject(MISMATCH);
      expect(stage.handled).toHaveLength(1);
    },
  );
});

describe('the end of a task', () => {
  const theEnd = () => JSON.parse(stage.sent[1]?.body ?? '{}') as { data: TaskEnd };

  test('is told as that of the task that ran, although its row says another one by then', async () => {
    const { taskId } = await stage.tasks.send(pay, { to: 'Ann' }, { onEnd: told, subject: 'o-1' });
    stage.does = async () => {
      await stage.write(taskId, { task: bill.name, queue: bill.queue, subject: 'o-2', onEnd: [] });
      return 1;
    };
    await expect(stage.receiveSent(0)).resolves.toMatchObject({ kind: 'done' });
    expect(theEnd().data).toMatchObject({ task: pay.name, subject: 'o-1', state: 'succeeded', result: 1 });
  });

  test('is not told under the subject of another task, and that task does not run', async () => {
    const { taskId } = await stage.tasks.send(pay, { to: 'Ann' }, { onEnd: told, subject: 'o-1' });
    await stage.write(taskId, { subject: 'o-2' });
    await expect(stage.receiveSent(0)).resolves.toMatchObject(MISMATCH);
    expect([stage.handled, queues()]).toEqual([[], ['payments']]);
  });

  test.each([[null], 'x', 5, [{ task: told.name }]])(
    'is told to nobody if its listeners are %j, and it can be cancelled',
    async (onEnd) => {
      const { taskId } = await stage.tasks.send(pay, { to: 'Ann' });
      await stage.write(taskId, { onEnd });
      await expect(stage.tasks.cancel(taskId)).resolves.toMatchObject({ state: 'cancelled' });
      expect(queues()).toEqual(['payments']);
    },
  );
});

describe('a row that a sender fills', () => {
  test.each(
    [...SENDER_ATTRIBUTES, ...FLOW_ATTRIBUTES, ...CANCEL_ATTRIBUTES].filter((name) => name !== 'taskId'),
  )('by %s is none that Baton wrote', (name) => {
    const long = 'x'.repeat(100_000);
    const link = { taskId: 't-1', task: count.name, queue: count.queue, name: 'E', message: '', reason: 'r' };
    const row = { taskId: 't-1', task: count.name, queue: count.queue, state: 'queued' };
    expect(faultOfRow({ ...row, next: link, onEnd: [link], error: link, waiting: link })).toBeUndefined();
    for (const value of [long, [long], { ...link, more: long }, [{ ...link, more: long }], new Set([long])])
      expect(faultOfRow({ ...row, [name]: value })).toContain(name);
  });

  test('by 190,000 listeners is found out by their number, before any of them is looked at', () => {
    const row = { taskId: 't-1', task: count.name, queue: count.queue, state: 'queued' };
    const onEnd = Array.from({ length: 190_000 }, () => null);
    expect(faultOfRow({ ...row, onEnd })).toBe('onEnd: Too big: expected array to have <=16 items');
  });

  test.each(['signature', 'listedIn'])(
    'by %s while its task runs takes no end: the task does not run for ever',
    async (name) => {
      const { taskId } = await stage.tasks.send(pay, { to: 'Ann' });
      const { [name]: before } = (await stage.store.read(taskId)) as unknown as Record<string, unknown>;
      stage.does = async () => {
        await fill(taskId, name);
        return 1;
      };
      await expect(stage.receiveSent(0)).resolves.toMatchObject(MISMATCH);
      await stage.write(taskId, { [name]: before });
      expect(stage.handled).toHaveLength(1);
    },
  );
});

describe('a row that a sender has let expire', () => {
  test.each([
    ['another payload', { task: bill.name, data: 2 }, {}],
    [
      'another contract',
      { task: 'numbers.unknown', data: 1 },
      { task: 'numbers.unknown', queue: count.queue },
    ],
  ])('is not ended by a message with %s, and nobody is told', async (_what, message, changes) => {
    const { taskId } = await stage.tasks.send(bill, 1, { onEnd: told });
    await stage.write(taskId, { ...changes, expiresAt: SECOND_AGO() });
    const queue = 'queue' in changes ? changes.queue : bill.queue;
    await expect(stage.receive({ ...message, taskId }, { queue })).resolves.toMatchObject({
      kind: 'dead-letter',
    });
    expect(queues()).toEqual(['bills']);
    await stage.write(taskId, { expiresAt: SECOND_AGO() + 1000 });
    await expect(stage.stateOf(taskId)).resolves.toBe('queued');
  });
});

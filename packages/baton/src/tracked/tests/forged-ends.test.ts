// A sender writes the end of a task into its row, which only a worker, or whoever may cancel tasks, may write.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { chain } from '../../task/flow.ts';
import { RejectTask } from '../../task/errors.ts';
import { AttackedStage, bill, count, pay, told } from './attacked-stage.ts';

let stage: AttackedStage;
beforeAll(async () => {
  stage = await AttackedStage.start();
});
beforeEach(() => stage.begin());
afterAll(() => stage.stop());

const MISMATCH = { kind: 'dead-letter', reason: 'mismatch' };
const SECOND_AGO = () => Math.floor(Date.now() / 1000) - 1;
const queues = () => stage.sent.map(({ queue }) => queue);

/** Starts a chain of two tasks with a listener to its end. Resolves to the id of the second. */
async function startChain(): Promise<string> {
  const { taskId } = await stage.tasks.start(chain([count, count]), 1, { onEnd: told });
  return taskId;
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

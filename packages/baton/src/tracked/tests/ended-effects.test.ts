import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { defineTask } from '../../task/task.ts';
import { taskEndSchema } from '../../task/task-end.ts';
import { eventually } from 'baton-dev/testing/eventually';
import * as z from 'zod';
import { type Handler, TrackedWork, work } from './tracked-work.ts';

const onEnd = defineTask({
  name: 'tests.listening',
  queue: 'default',
  payload: taskEndSchema,
  result: z.object({}),
  retry: { maxAttempts: 8, baseSeconds: 5 },
  timeoutSeconds: 20,
});
const told = defineTask({ ...work, onEnd });

let tracked: TrackedWork;
beforeAll(async () => {
  tracked = await TrackedWork.start();
});
beforeEach(() => tracked.begin());
afterAll(() => tracked.stop());

describe('the listeners to the end of a task', () => {
  test('learn which effects had run, or still ran, when it was cancelled', async () => {
    const cancelled: Handler = async (_payload, { effect }) => {
      await effect('pay', () => 1);
      await effect('mail', async () => {
        await tracked.store.cancel(tracked.taskId);
        return 2;
      });
      return { length: 1 };
    };
    await tracked.run(cancelled, { contract: told });
    expect(tracked.told).toMatchObject([{ state: 'cancelled', token: 1, effects: ['mail', 'pay'] }]);
  });

  test.each(['dead', 'cancelled'])(
    'are told again if an effect ended after the task was %s',
    async (state) => {
      const late = Promise.withResolvers<number>();
      const contract = { ...told, timeoutSeconds: 0.05, retry: { maxAttempts: 1, baseSeconds: 1 } };
      const slow: Handler = async (_payload, { effect }) => {
        if (state === 'cancelled') await tracked.store.cancel(tracked.taskId);
        return { length: await effect('mail', () => late.promise) };
      };
      await tracked.run(slow, { contract });
      expect(tracked.told).toMatchObject([{ state, token: 1 }]);
      expect(tracked.told[0]?.effects).toBeUndefined();
      late.resolve(1);
      await eventually('the second message to the listener', async () => tracked.told.length === 2);
      expect(tracked.told[1]).toMatchObject({ state, token: 1, effects: ['mail'] });
      // A tracked listener runs once for each id
      expect(new Set(tracked.forwarded.map(({ next }) => next.taskId)).size).toBe(2);
    },
  );

  test('are told no effects if it succeeded', async () => {
    const done: Handler = async (_payload, { effect }) => ({ length: await effect('pay', () => 1) });
    await tracked.run(done, { contract: told });
    expect(tracked.told).toMatchObject([{ state: 'succeeded' }]);
    expect(tracked.told[0]?.effects).toBeUndefined();
  });
});

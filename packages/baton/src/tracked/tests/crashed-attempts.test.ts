import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { PostponeTask } from '../../task/errors.ts';
import { eventually } from 'baton-dev/testing/eventually';
import { type Handler, TrackedWork } from './tracked-work.ts';

let tracked: TrackedWork;
beforeAll(async () => {
  tracked = await TrackedWork.start();
});
beforeEach(() => tracked.begin());
afterAll(() => tracked.stop());

const done: Handler = ({ text }) => ({ length: text.length });
const failing: Handler = () => {
  throw new Error('no');
};
const alone = async (): Promise<boolean> => true;
const row = () => tracked.store.read(tracked.taskId);

describe('a tracked task whose worker died while it ran', () => {
  test('beside other tasks loses no attempt, and runs alone the next time', async () => {
    await tracked.crash();
    const order: string[] = [];
    const runAlone = async (): Promise<boolean> => order.push('alone') > 0;
    const handler: Handler = (_payload, { attempt }) => {
      order.push(`attempt ${attempt}`);
      return { length: 1 };
    };
    await expect(tracked.run(handler, { runAlone, maxAttempts: 1 })).resolves.toMatchObject({ kind: 'done' });
    expect(order).toEqual(['alone', 'attempt 1']);
  });

  test('keeps its claim while it waits to run alone, however long other tasks take', async () => {
    await tracked.crash();
    const turn = Promise.withResolvers<boolean>();
    // The claim is renewed every third of a second, and a busy machine may be that late
    const running = tracked.run(done, { runAlone: () => turn.promise, leaseSeconds: 1 });
    const { leaseUntilMs = Infinity } = await eventually('its claim', async () => {
      const claimed = await row();
      return claimed?.owner === 'w-1' && claimed;
    });
    await eventually('its first lease over', () => Date.now() > leaseUntilMs + 200);
    turn.resolve(true);
    await expect(running).resolves.toMatchObject({ kind: 'done' });
  });

  test.each([
    ['and has one attempt, after one crash beside others and one alone,', 1, 1],
    ['and has many attempts, after one crash beside others and two alone,', 10, 2],
  ])('%s becomes a dead letter, and does not run again', async (_what, maxAttempts, crashesAlone) => {
    await tracked.crash();
    for (let crash = 0; crash < crashesAlone; crash += 1) await tracked.crash('alone');
    const never = jest.fn<Handler>();
    await expect(tracked.run(never, { maxAttempts, runAlone: alone })).resolves.toMatchObject({
      kind: 'dead-letter',
      reason: 'crashed',
      error: { message: expect.stringContaining(`worker died ${crashesAlone + 1} times`) as unknown },
    });
    expect(never).not.toHaveBeenCalled();
    await expect(tracked.store.find(tracked.taskId)).resolves.toMatchObject({
      state: 'dead',
      attempts: crashesAlone,
      error: { name: 'AttemptsCrashedError', reason: 'crashed' },
    });
  });

  test('is not blamed if the worker died again while the task only waited for its turn', async () => {
    await tracked.crash();
    for (let crash = 0; crash < 5; crash += 1) await tracked.crash();
    await expect(row()).resolves.toMatchObject({ crashes: 1, attempts: 1 });
    await expect(tracked.run(done, { runAlone: alone, maxAttempts: 1 })).resolves.toMatchObject({
      kind: 'done',
    });
  });

  test('is given up after three crashes, also by workers that cannot run a task alone', async () => {
    await tracked.crash();
    await tracked.crash('in company');
    await tracked.crash('in company');
    const never = jest.fn<Handler>();
    await expect(tracked.run(never)).resolves.toMatchObject({ kind: 'dead-letter', reason: 'crashed' });
    expect(never).not.toHaveBeenCalled();
  });

  test.each([
    ['throws', failing, 'retry'],
    [
      'postpones itself',
      () => {
        throw new PostponeTask('not now', { delaySeconds: 0 });
      },
      'release',
    ],
  ])('is not a suspect any more once its handler %s', async (_what, handler, kind) => {
    await tracked.crash();
    await tracked.crash('alone');
    await expect(tracked.run(handler, { runAlone: alone })).resolves.toMatchObject({ kind });
    const after = await row();
    expect([after?.crashes, after?.begun]).toEqual([undefined, undefined]);
  });

  test('is still a suspect after its worker had to stop', async () => {
    await tracked.crash();
    const stop = new AbortController();
    const stopped: Handler = async (_payload, { signal }) => {
      stop.abort(new Error('stopping'));
      signal.throwIfAborted();
    };
    const options = { runAlone: alone, signal: stop.signal };
    await expect(tracked.run(stopped, options)).resolves.toMatchObject({ kind: 'release' });
    await expect(row()).resolves.toMatchObject({
      state: 'queued',
      crashes: 1,
      begun: 'not yet',
      attempts: 0,
    });
    const runAlone = jest.fn(alone);
    await tracked.run(done, { runAlone });
    expect(runAlone).toHaveBeenCalledTimes(1);
  });

  test('stops waiting to run alone if it is cancelled, or if its worker must stop', async () => {
    const waiting = (givenUp: AbortSignal) =>
      new Promise<boolean>((_, reject) =>
        givenUp.addEventListener('abort', () => reject(givenUp.reason as Error)),
      );
    const never = jest.fn<Handler>();
    await tracked.crash();
    const stop = new AbortController();
    const stopping = tracked.run(never, { runAlone: waiting, signal: stop.signal });
    await eventually('its claim', async () => (await row())?.owner === 'w-1');
    stop.abort(new Error('stopping'));
    await expect(stopping).resolves.toMatchObject({ kind: 'release', error: { message: 'stopping' } });

    const cancelling = tracked.run(never, { runAlone: waiting, leaseSeconds: 0.3 });
    await eventually('its claim', async () => (await row())?.state === 'running');
    await tracked.store.cancel(tracked.taskId);
    await expect(cancelling).resolves.toMatchObject({ kind: 'done' });
    expect(never).not.toHaveBeenCalled();
  });

  test('runs alone only while it is a suspect, and starts again if its dead letter is put back', async () => {
    const runAlone = jest.fn(alone);
    await tracked.run(failing, { runAlone });
    expect(runAlone).not.toHaveBeenCalled();
    for (const begins of [undefined, 'alone', 'alone'] as const) await tracked.crash(begins);
    await tracked.run(done, { runAlone });
    const deadAt = new Date(Date.now() + 5).toISOString();
    const attributes = { 'baton.details': { DataType: 'String', StringValue: JSON.stringify({ deadAt }) } };
    await expect(tracked.run(done, { runAlone, change: { attributes } })).resolves.toMatchObject({
      kind: 'done',
    });
    expect(runAlone).not.toHaveBeenCalled();
  });
});

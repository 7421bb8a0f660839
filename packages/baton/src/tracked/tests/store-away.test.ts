import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { RejectTask, RetryTask } from '../../task/errors.ts';
import type { Outcome } from '../../task/outcome.ts';
import { eventually } from 'baton-dev/testing/eventually';
import { type Handler, TrackedWork, work, WORK_HASH } from './tracked-work.ts';

let tracked: TrackedWork;
beforeAll(async () => {
  tracked = await TrackedWork.start();
});
beforeEach(() => tracked.begin());
afterEach(() => {
  jest.restoreAllMocks();
});
afterAll(() => tracked.stop());

const done: Handler = ({ text }) => ({ length: text.length });
const row = () => tracked.store.read(tracked.taskId);

/** Lets all requests to the task store fail from now on. Returns a function that ends this. */
function storeAway(): () => void {
  const away = jest
    .spyOn(tracked.backends.documents, 'send')
    .mockRejectedValue(new Error('no table') as never);
  return () => away.mockRestore();
}

/** The attributes of a message's copy, as its next receiver gets them. */
function attributesOf(outcome: Outcome) {
  const notes = outcome.kind === 'release' ? (outcome.notes ?? {}) : {};
  const entries = Object.entries(notes).map(([name, StringValue]) => [
    name,
    { DataType: 'String', StringValue },
  ]);
  return Object.fromEntries(entries) as Record<string, { DataType: string; StringValue: string }>;
}

describe('while the task store is away', () => {
  test('an outcome is held even after the claim has expired, and written when the store is back', async () => {
    let back = (): void => undefined;
    const begun = Promise.withResolvers<Awaited<ReturnType<typeof row>>>();
    const running = tracked.run(
      async () => {
        begun.resolve(await row());
        back = storeAway();
        return { length: 4 };
      },
      { leaseSeconds: 0.3, maxAttempts: 1 },
    );
    const { leaseUntilMs = Infinity } = (await begun.promise) ?? {};
    await eventually('the end of the claim', () => Date.now() > leaseUntilMs);
    back();
    await expect(running).resolves.toMatchObject({ kind: 'done', result: { length: 4 } });
    const after = await row();
    expect(after).toMatchObject({ state: 'succeeded', attempts: 1, result: '{"length":4}' });
    expect(after?.crashes).toBeUndefined();
  });

  test('a task whose claim expires is released, and loses no attempt', async () => {
    let back = (): void => undefined;
    const aborted: Handler = async (_payload, { signal }) => {
      back = storeAway();
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      back();
      throw signal.reason;
    };
    const outcome = await tracked.run(aborted, { leaseSeconds: 0.3, maxAttempts: 1 });
    expect(outcome).toMatchObject({ kind: 'release', error: { name: 'ClaimLostError' } });
    await expect(row()).resolves.toMatchObject({ state: 'queued', attempts: 0 });
    await expect(tracked.run(done, { maxAttempts: 1 })).resolves.toMatchObject({ kind: 'done' });
  });

  test('the result of an effect is kept when the store is back', async () => {
    const pay = jest.fn(() => 1);
    const keep = jest.spyOn(tracked.store.attempts, 'keepEffect');
    let back = (): void => undefined;
    const paying: Handler = async (_payload, { effect }) => {
      await effect('pay', () => {
        back = storeAway();
        return pay();
      });
      return { length: 1 };
    };
    const running = tracked.run(paying, { leaseSeconds: 30 });
    // There is a second try once the first has failed
    await eventually('a second try', () => keep.mock.calls.length > 1);
    back();
    await expect(running).resolves.toMatchObject({ kind: 'done' });
    expect((await row())?.effects).toEqual({ pay: '1' });
  });

  test.each([
    ['throws an error', () => new Error('no mail')],
    ['asks for a retry at once', () => new RetryTask('again', { delaySeconds: 0 })],
    ['rejects its task', () => new RejectTask('no')],
  ])(
    'the result of an effect is kept before its attempt %s, and the effect does not run again',
    async (_how, thrown) => {
      const pay = jest.fn(() => 1);
      const { attempts } = tracked.store;
      const away = jest.spyOn(attempts, 'keepEffect').mockRejectedValue(new Error('no table'));
      const paying: Handler = async (_payload, { effect, attempt }) => {
        const paid = effect('pay', pay);
        await eventually('the effect to be kept', () => away.mock.calls.length > 0);
        if (attempt > 1) await paid;
        else throw thrown();
        return { length: 1 };
      };
      const first = tracked.run(paying, { leaseSeconds: 30 });
      await eventually('a second try', () => away.mock.calls.length > 1);
      away.mockRestore();
      await first;
      expect([(await row())?.effects, pay.mock.calls.length]).toEqual([{ pay: '1' }, 1]);
    },
  );

  test('a worker that must stop releases its task at once, and no crash and no attempt is counted', async () => {
    const stop = new AbortController();
    let back = (): void => undefined;
    const running = tracked.run(
      () => {
        back = storeAway();
        setTimeout(() => stop.abort(new Error('stopping')), 50);
        return { length: 4 };
      },
      { signal: stop.signal, maxAttempts: 1 },
    );
    const outcome = await running.finally(() => back());
    expect(outcome).toMatchObject({ kind: 'release', error: { name: 'StoreAwayError' }, asCopy: true });
    // The claim would last for 30 s longer
    const change = { attributes: attributesOf(outcome) };
    await expect(tracked.run(done, { change, maxAttempts: 1, owner: 'w-2' })).resolves.toMatchObject({
      kind: 'done',
    });
    const after = await row();
    expect([after?.attempts, after?.crashes, after?.owner]).toEqual([1, undefined, undefined]);
  });

  test.each(['once', 'twice'])('a claim whose answer was lost %s is taken over at once', async (times) => {
    let attributes = {};
    for (const method of times === 'once' ? (['claim'] as const) : (['claim', 'resume'] as const)) {
      const { attempts } = tracked.store;
      const write = attempts[method].bind(attempts) as (...request: unknown[]) => Promise<unknown>;
      const lost = jest.spyOn(attempts, method).mockImplementation(async (...request: unknown[]) => {
        await write(...request);
        throw new Error('the answer was lost');
      });
      const never = jest.fn<Handler>();
      const outcome = await tracked.run(never, { change: { attributes } });
      expect(outcome).toMatchObject({ kind: 'release', asCopy: true });
      expect(never).not.toHaveBeenCalled();
      attributes = attributesOf(outcome);
      lost.mockRestore();
    }
    await expect(tracked.run(done, { change: { attributes }, maxAttempts: 1 })).resolves.toMatchObject({
      kind: 'done',
    });
    const after = await row();
    expect([after?.attempts, after?.crashes]).toEqual([1, undefined]);
  });

  test('a copy that names an unconcluded claim keeps this note, and is not copied again', async () => {
    const attributes = { 'baton.unconcluded': { DataType: 'String', StringValue: 'given-up' } };
    const back = storeAway();
    const outcome = await tracked.run(done, { change: { attributes } }).finally(back);
    expect(outcome).toMatchObject({ kind: 'release', error: { message: 'no table' } });
    expect(outcome).not.toMatchObject({ asCopy: true });

    // Except before SQS would dead-letter it, which it does after 30 receives
    const away = storeAway();
    const often = await tracked.run(done, { change: { attributes, receiveCount: 20 } }).finally(away);
    expect(often).toMatchObject({ asCopy: true, notes: { 'baton.unconcluded': 'given-up' } });
  });
});

test('a message that names one claim as unconcluded does not end another claim', async () => {
  const { promise, resolve } = Promise.withResolvers<unknown>();
  const first = tracked.run(() => promise);
  await eventually('the task running', async () => (await row())?.state === 'running');
  const attributes = { 'baton.unconcluded': { DataType: 'String', StringValue: 'another' } };
  const never = jest.fn<Handler>();
  await expect(tracked.run(never, { owner: 'w-2', change: { attributes } })).resolves.toMatchObject({
    kind: 'release',
    error: { name: 'TaskRunningError' },
  });
  expect(never).not.toHaveBeenCalled();
  resolve({ length: 1 });
  await expect(first).resolves.toMatchObject({ kind: 'done' });
});

test('a suspect with an unconcluded claim is still a suspect, and no crash is added', async () => {
  await tracked.crash();
  const { taskId } = tracked;
  const { name: task, queue } = work;
  const claim = {
    taskId,
    task,
    queue,
    claimId: 'given-up',
    owner: 'w-1',
    payloadHash: WORK_HASH,
    leaseSeconds: 30,
  };
  await eventually(
    'its claim',
    async () => (await tracked.store.attempts.claim(claim))?.claimId === 'given-up',
  );
  const attributes = { 'baton.unconcluded': { DataType: 'String', StringValue: 'given-up' } };
  const runAlone = jest.fn(async () => true);
  await expect(tracked.run(done, { change: { attributes }, runAlone })).resolves.toMatchObject({
    kind: 'done',
  });
  expect(runAlone).toHaveBeenCalledTimes(1);
});

import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { chain, group, member } from '../../task/flow.ts';
import { RejectTask } from '../../task/errors.ts';
import { defineTask, type EndListener, type TaskContract } from '../../task/task.ts';
import { TaskClient } from '../task-client.ts';
import { type TaskEnd, taskEndSchema } from '../../task/task-end.ts';
import { eventually } from 'baton-dev/testing/eventually';
import * as z from 'zod';
import { type Handler, TrackedWork, work, WORK_HASH } from '../../tracked/tests/tracked-work.ts';

const DAY_MS = 86_400_000;
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
/** A task whose contract names a listener. */
const told = defineTask({ ...work, onEnd: listening });

const never = jest.fn<Handler>();
let tracked: TrackedWork;
/** The task client of these tests. It records the messages that follow from a cancellation. */
let tasks: TaskClient;
beforeAll(async () => {
  tracked = await TrackedWork.start();
});
beforeEach(() => {
  never.mockClear();
  tracked.begin();
  const { queueUrls } = tracked.backends;
  const send = async ({ input: { Entries } }: { input: { Entries: { MessageBody: string }[] } }) => {
    for (const { MessageBody } of Entries) {
      const { id: taskId, type, subject, data } = JSON.parse(MessageBody) as Record<string, string>;
      const next = { taskId: taskId ?? '', task: type ?? '', queue: 'default' };
      if (type?.endsWith('ing')) tracked.forwarded.push({ next, payload: data, subject });
    }
    return { Successful: Entries };
  };
  tasks = new TaskClient({
    sqs: { send } as never,
    queueUrls,
    source: 'tests',
    records: tracked.store,
  });
});
afterAll(() => tracked.stop());

const done: Handler = ({ text }) => ({ length: text.length });
const rejecting: Handler = () => {
  throw new RejectTask('no such order');
};
const failing: Handler = () => {
  throw new RangeError('no');
};

/** Writes the row of a task, as its sender does. */
const sent = (contract: TaskContract = told, onEnd?: EndListener) => {
  tracked.subject = 'o-1';
  return tasks.send(
    contract as typeof work,
    { text: 'four' },
    { taskId: tracked.taskId, subject: 'o-1', onEnd },
  );
};

/** Lets a worker die that runs the task beside other tasks, and then two workers that run it alone. */
async function crashes(): Promise<void> {
  const { taskId, store } = tracked;
  for (const begun of ['in company', 'alone', 'alone'] as const) {
    const claim = {
      taskId,
      task: work.name,
      queue: work.queue,
      owner: 'dead',
      payloadHash: WORK_HASH,
      leaseSeconds: 0,
    };
    const { claimId, token } = await eventually('a claim', async () => {
      const attempt = { ...claim, claimId: randomUUID() };
      const row = await store.attempts.claim(attempt);
      return row?.claimId === attempt.claimId && { claimId: attempt.claimId, token: row.token };
    });
    await store.attempts.begins({ taskId, claimId, token }, begun);
  }
  await eventually(
    'the last lease to end',
    async () => ((await store.read(taskId))?.leaseUntilMs ?? 0) < Date.now(),
  );
}

describe('the listener of a contract is told', () => {
  test('that a task succeeded, with its result, its subject and its token', async () => {
    await sent();
    await tracked.run(done);
    const { finishedAt } = (await tracked.store.read(tracked.taskId)) ?? {};
    expect(tracked.told).toEqual([
      {
        taskId: tracked.taskId,
        task: work.name,
        subject: 'o-1',
        state: 'succeeded',
        attempts: 1,
        token: 1,
        at: finishedAt,
        result: { length: 4 },
      },
    ]);
    expect(tracked.forwarded).toMatchObject([{ next: { task: listening.name }, subject: 'o-1' }]);
  });

  test.each<[string, () => Promise<unknown>, Partial<TaskEnd>]>([
    [
      'rejected',
      () => tracked.run(rejecting),
      {
        state: 'failed',
        attempts: 1,
        error: { name: 'RejectTask', message: 'no such order', reason: 'rejected' },
      },
    ],
    [
      'failed at every attempt',
      async () => {
        for (let attempt = 1; attempt <= 3; attempt += 1) {
          expect(tracked.told).toEqual([]);
          await tracked.run(failing);
        }
      },
      {
        state: 'dead',
        attempts: 3,
        error: { name: 'RangeError', message: 'no', reason: 'attempts-exhausted' },
      },
    ],
    [
      'took too long',
      () =>
        tracked.run(() => new Promise(() => undefined), {
          contract: { ...told, timeoutSeconds: 0.05, retry: { maxAttempts: 1, baseSeconds: 1 } },
        }),
      { state: 'dead', error: expect.objectContaining({ reason: 'timed-out' }) as never },
    ],
    [
      'has a payload that breaks its contract',
      // Its handler has another idea of the contract than its sender
      () => tracked.run(never, { contract: { ...told, payload: z.object({ text: z.int() }) } }),
      { state: 'dead', error: expect.objectContaining({ reason: 'invalid-payload' }) as never },
    ],
    [
      'killed three workers',
      async () => {
        await crashes();
        await tracked.run(never);
      },
      { state: 'dead', error: expect.objectContaining({ reason: 'crashed' }) as never },
    ],
    [
      'has no implementation',
      async () => {
        const contract = { ...told, name: 'tests.other' };
        const outcome = await tracked.run(never, { contract, patienceSeconds: 0 });
        expect(outcome).toMatchObject({ kind: 'dead-letter', reason: 'unknown-task' });
      },
      {
        state: 'dead',
        attempts: 0,
        token: 0,
        error: expect.objectContaining({ reason: 'unknown-task' }) as never,
      },
    ],
    [
      'returned a result that cannot be kept',
      () => tracked.run(() => ({ length: 1, filler: 'x'.repeat(70_000) })),
      { state: 'failed', error: expect.objectContaining({ reason: 'rejected' }) as never },
    ],
  ])('that a task did not succeed because it %s', async (_what, run, end) => {
    await sent();
    await run();
    expect(tracked.told).toMatchObject([{ taskId: tracked.taskId, subject: 'o-1', ...end }]);
    const { state } = (await tracked.store.read(tracked.taskId)) ?? {};
    expect(tracked.told[0]?.state).toBe(state);
    expect(never).not.toHaveBeenCalled();
  });

  test('at once that a waiting task was cancelled, and again when its message is received', async () => {
    await sent();
    await tasks.cancel(tracked.taskId);
    expect(tracked.told).toMatchObject([{ state: 'cancelled', attempts: 0 }]);
    await expect(tracked.run(never)).resolves.toMatchObject({ kind: 'done' });
    expect(tracked.told).toMatchObject([{ state: 'cancelled' }, { state: 'cancelled' }]);
    expect(new Set(tracked.forwarded.map(({ next }) => next.taskId)).size).toBe(1);
    expect(never).not.toHaveBeenCalled();
  });

  test('that a running task was cancelled', async () => {
    await sent();
    await tracked.run(async () => {
      await tasks.cancel(tracked.taskId);
      return { length: 1 };
    });
    expect(tracked.told.map(({ state }) => state)).toEqual(['cancelled', 'cancelled']);
  });

  test('even if the row and its subject are gone', async () => {
    await tracked.run(done, { contract: told });
    expect(tracked.told).toMatchObject([{ state: 'succeeded' }]);
  });

  test('nothing after an attempt that will be retried, or after a release', async () => {
    await sent();
    const stop = new AbortController();
    stop.abort(new Error('stopping'));
    const untilAborted: Handler = (_payload, { signal }) => {
      throw signal.reason;
    };
    await tracked.run(failing);
    await tracked.run(untilAborted, { signal: stop.signal });
    expect(tracked.told).toEqual([]);
  });
});

describe('the end of a task', () => {
  test('is told again with the same task id if its message is received again', async () => {
    await sent();
    await tracked.run(done);
    await tracked.run(never);
    const [first, second] = tracked.forwarded;
    expect(second).toEqual(first);
  });

  test('is told later if SQS accepts nothing now, and the task does not run again', async () => {
    await sent();
    const away = jest.fn(async () => {
      throw new Error('no broker');
    });
    await expect(tracked.run(done, { forward: away })).resolves.toMatchObject({ kind: 'release' });
    await expect(tracked.run(never, { forward: away })).resolves.toMatchObject({ kind: 'release' });
    await expect(tracked.run(never)).resolves.toMatchObject({ kind: 'done' });
    expect(tracked.told).toMatchObject([{ state: 'succeeded' }]);
    expect(never).not.toHaveBeenCalled();
  });

  test('is not told any more after 5 days, so that its message does not come back for ever', async () => {
    await sent();
    const gone = async () => {
      throw new Error('no such queue');
    };
    await tracked.run(done, { forward: gone });
    const clock = jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 5 * DAY_MS);
    const outcome = await tracked.run(never, { forward: gone }).finally(() => clock.mockRestore());
    expect(outcome).toMatchObject({ kind: 'done' });
  });

  test('has a greater token after the task was put back', async () => {
    await sent();
    await tracked.run(rejecting);
    const deadAt = new Date(Date.now() + 5).toISOString();
    const attributes = { 'baton.details': { DataType: 'String', StringValue: JSON.stringify({ deadAt }) } };
    let token = 0;
    await tracked.run(
      (_payload, context) => {
        ({ token } = context);
        return { length: 1 };
      },
      { change: { attributes } },
    );
    const [first, second] = tracked.told;
    expect([first, second]).toMatchObject([{ state: 'failed' }, { state: 'succeeded', token }]);
    expect(second?.token).toBeGreaterThan(first?.token ?? Infinity);
    expect(new Set(tracked.forwarded.map(({ next }) => next.taskId)).size).toBe(2);
  });
});

describe('the token of an attempt', () => {
  test('is greater than the tokens of all earlier attempts', async () => {
    const tokens: number[] = [];
    const noting: Handler = (_payload, { token }) => {
      tokens.push(token);
      throw new Error('no');
    };
    for (let attempt = 1; attempt <= 3; attempt += 1) await tracked.run(noting);
    expect(tokens).toEqual([1, 2, 3]);
  });
});

describe('the listener of a sender', () => {
  test('is told beside the listener of the contract, each once', async () => {
    await sent(told, watching);
    await tracked.run(done);
    expect(tracked.forwarded.map(({ next }) => next.task)).toEqual([listening.name, watching.name]);
    tracked.begin();
    await sent(told, listening);
    await tracked.run(done);
    expect(tracked.told).toHaveLength(1);
  });

  test('is told the end of the last task of a chain, which is cancelled if an earlier step does not succeed', async () => {
    const again = defineTask({ ...work, name: 'tests.again', payload: work.result });
    const last = defineTask({ ...again, name: 'tests.last', onEnd: listening });
    const options = { taskId: tracked.taskId, subject: 'o-1', onEnd: watching };
    const handle = await tasks.start(chain([work, again, last]), { text: 'four' }, options);
    tracked.subject = options.subject;
    await tracked.run(rejecting);
    const names = tracked.forwarded.map(({ next }) => next.task);
    expect(names).toEqual([listening.name, watching.name]);
    expect(tracked.forwarded.map(({ payload }) => payload)).toMatchObject([
      { taskId: handle.taskId, task: last.name, subject: 'o-1', state: 'cancelled', token: 0 },
      { taskId: handle.taskId, state: 'cancelled' },
    ]);
  });

  test('is told the end of a cancelled group, and the listener of each member is told the end of that member', async () => {
    const sum = defineTask({ ...work, name: 'tests.sum', payload: z.array(work.result) });
    const members = [member(told, { text: 'one' }), member(work, { text: 'two' })];
    const handle = await tasks.start(group(members, sum), { subject: 'o-1', onEnd: watching });
    await handle.cancel();
    const ends = tracked.forwarded.map(({ next, payload }) => [next.task, (payload as TaskEnd).taskId]);
    const ofMembers = ends.filter(([name]) => name === listening.name);
    const ofAll = ends.filter(([name]) => name === watching.name);
    expect(new Set(ofMembers.map(String)).size).toBe(1);
    expect(new Set(ofAll.map(([, id]) => id))).toEqual(new Set([handle.taskId]));
  });
});

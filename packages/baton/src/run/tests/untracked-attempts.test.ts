import { afterAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { PostponeTask } from '../../task/errors.ts';
import type { ReceivedMessage } from '../../sqs/received-message.ts';
import { logReturn } from '../untracked-attempt.ts';
import {
  attempts,
  away,
  crash,
  done,
  endHandlers,
  fails,
  forgetMessages,
  log,
  postpones,
  received,
  rows,
  run,
  runAlone,
} from './untracked-work.ts';

beforeEach(forgetMessages);
afterAll(endHandlers);

describe('an untracked message', () => {
  test('that is done at its first receive makes no request to the log', async () => {
    const spy = { find: jest.fn(log.find.bind(log)), keep: jest.fn(log.keep.bind(log)) };
    await expect(run(received(1), done, { receives: spy })).resolves.toMatchObject({ kind: 'done' });
    expect([spy.find.mock.calls, spy.keep.mock.calls]).toEqual([[], []]);
  });

  test('that fails is retried beside other tasks, and becomes a dead letter after its last attempt', async () => {
    for (const receive of [1, 2])
      await expect(run(received(receive), fails)).resolves.toMatchObject({ kind: 'retry' });
    await expect(run(received(3), fails)).resolves.toMatchObject({
      kind: 'dead-letter',
      reason: 'attempts-exhausted',
    });
    expect([attempts, runAlone.mock.calls]).toEqual([[1, 2, 3], []]);
  });

  test('that is postponed loses no attempt, and is not a suspect', async () => {
    for (const receive of [1, 2, 3, 4, 5]) {
      const outcome = await run(received(receive), postpones);
      expect(outcome).toMatchObject({ kind: 'release', delaySeconds: 7 });
      expect(outcome).not.toHaveProperty('asCopy');
    }
    expect([attempts, runAlone.mock.calls]).toEqual([[1, 1, 1, 1, 1], []]);
  });

  test('whose worker died once loses no attempt, and runs beside other tasks again', async () => {
    await crash(received(1));
    await expect(run(received(2), done)).resolves.toMatchObject({ kind: 'done' });
    expect([attempts, runAlone.mock.calls]).toEqual([[1, 1], []]);
  });

  test('whose worker died twice loses no attempt, and runs alone until it comes to an end', async () => {
    for (const receive of [1, 2]) await crash(received(receive));
    await expect(run(received(3), fails)).resolves.toMatchObject({ kind: 'retry' });
    expect([attempts, runAlone.mock.calls.length]).toEqual([[1, 1, 1], 1]);
    await expect(run(received(4), done)).resolves.toMatchObject({ kind: 'done' });
    expect([attempts, runAlone.mock.calls.length]).toEqual([[1, 1, 1, 2], 1]);
  });

  test('whose worker died while it waited to run alone is not blamed for this crash', async () => {
    for (const receive of [1, 2]) await crash(received(receive));
    for (const receive of [3, 4, 5]) {
      runAlone.mockImplementationOnce(() => new Promise(() => undefined));
      void run(received(receive), fails);
      await new Promise(setImmediate);
    }
    await expect(run(received(6), done)).resolves.toMatchObject({ kind: 'done' });
    expect([attempts, runAlone.mock.calls.length]).toEqual([[1, 1, 1], 4]);
  });

  test('whose workers died three times becomes a dead letter with the reason crashed, and does not run', async () => {
    for (const receive of [1, 2, 3]) await crash(received(receive));
    const never = jest.fn(done);
    await expect(run(received(4), never)).resolves.toMatchObject({
      kind: 'dead-letter',
      reason: 'crashed',
      error: {
        name: 'AttemptsCrashedError',
        message: expect.stringContaining('worker died 3 times') as unknown,
      },
    });
    expect(never).not.toHaveBeenCalled();
  });

  test('that is suspected runs alone again after its worker had to stop', async () => {
    for (const receive of [1, 2]) await crash(received(receive));
    const stop = new AbortController();
    const stopped = () => {
      stop.abort(new Error('stopping'));
      throw new Error('aborted');
    };
    await expect(run(received(3), stopped, { signal: stop.signal })).resolves.toMatchObject({
      kind: 'release',
    });
    await run(received(4), done);
    expect([attempts, runAlone.mock.calls.length]).toEqual([[1, 1, 1, 1], 2]);
  });

  test('that ended is not a suspect if its delete failed, and its crashes no longer count', async () => {
    for (const receive of [1, 2]) await crash(received(receive));
    for (const receive of [3, 4]) await run(received(receive), done);
    expect([attempts, runAlone.mock.calls.length]).toEqual([[1, 1, 1, 1], 1]);
  });

  test('that could not be settled is not a suspect', async () => {
    for (const receive of [1, 2, 3, 4]) {
      await run(received(receive), done);
      await logReturn(received(receive), log);
    }
    expect([attempts, runAlone.mock.calls]).toEqual([[1, 1, 1, 1], []]);
  });

  test('continues in a copy before SQS dead-letters it, and keeps its count of attempts', async () => {
    rows.set('m-1', { ended: 19, attempts: 1, crashes: 0 });
    const outcome = await run(received(20), postpones);
    expect(outcome).toMatchObject({
      kind: 'release',
      asCopy: true,
      notes: { 'baton.earlier-attempts': '1' },
    });
  });
});

describe('an untracked message that a function consumes', () => {
  const options = { everyReceiveIsSeen: false };

  test('is not a suspect after a receive that never reached the function', async () => {
    await run(received(4), done, options);
    expect([attempts, runAlone.mock.calls]).toEqual([[1], []]);
  });

  test('runs alone after its function died, and becomes a dead letter after the third logged crash', async () => {
    for (const receive of [1, 2, 3, 4]) await crash(received(receive), options);
    expect([attempts, runAlone.mock.calls.length]).toEqual([[1, 1, 1, 2], 2]);
    const outcome = await run(received(5), done, options);
    expect(outcome).toMatchObject({ kind: 'dead-letter', reason: 'crashed' });
  });
});

describe('an untracked message while the task store is away', () => {
  const options = { receives: away };

  test('counts each receive, and runs alone after more receives than it has attempts', async () => {
    for (const receive of [1, 2, 3]) await crash(received(receive), options);
    expect([attempts, runAlone.mock.calls]).toEqual([[1, 2, 3], []]);
    for (const receive of [4, 5, 6]) await crash(received(receive), options);
    expect([attempts, runAlone.mock.calls.length]).toEqual([[1, 2, 3, 3, 3, 3], 3]);
  });

  test('becomes a dead letter with the reason crashed after three more receives', async () => {
    await expect(run(received(7), done, options)).resolves.toMatchObject({
      kind: 'dead-letter',
      reason: 'crashed',
      error: {
        message: expect.stringContaining('received 7 times, but its contract allows 3 attempts') as unknown,
      },
    });
    expect(attempts).toEqual([]);
  });

  test('keeps one attempt if it is postponed with its count used up: it continues in a copy', async () => {
    await expect(run(received(2), postpones, options)).resolves.not.toHaveProperty('asCopy');
    const outcome = await run(received(3), postpones, options);
    expect(outcome).toMatchObject({
      kind: 'release',
      asCopy: true,
      notes: { 'baton.earlier-attempts': '2' },
    });
  });

  test('rests in copies for the whole rest, although SQS delays a copy by at most 15 minutes', async () => {
    const long = () => {
      throw new PostponeTask('not now', { delaySeconds: 3600 });
    };
    const outcome = (await run(received(3), long, options)) as { notes: Record<string, string> };
    const entries = Object.entries(outcome.notes).map(([name, StringValue]) => [
      name,
      { DataType: 'String', StringValue },
    ]);
    const attributes = Object.fromEntries(entries) as ReceivedMessage['attributes'];
    attempts.length = 0;
    const early = (await run(received(1, { attributes }), done, options)) as { delaySeconds: number };
    expect(early).toMatchObject({ kind: 'release', error: { name: 'TaskNotDueError' } });
    expect(early.delaySeconds).toBeGreaterThan(3500);
    expect(attempts).toEqual([]);
  });

  test('is postponed for at most 5 days, also in copies', async () => {
    const sentAt = new Date(Date.now() - 5 * 86_400_000).toISOString();
    const attributes = { 'baton.first-sent-at': { DataType: 'String', StringValue: sentAt } };
    const outcome = run(received(1, { attributes }), postpones, options);
    await expect(outcome).resolves.toMatchObject({ kind: 'dead-letter', reason: 'attempts-exhausted' });
  });
});

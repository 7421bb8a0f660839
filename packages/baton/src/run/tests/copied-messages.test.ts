import { afterAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { attributesPutBack } from '../../sqs/put-back.ts';
import { outcomeWithoutSlot } from '../../worker/slot.ts';
import type { Outcome } from '../../task/outcome.ts';
import type { ReceivedMessage } from '../../sqs/received-message.ts';
import type { ReceiveLog } from '../receive-log.ts';
import { outcomeOfUnknown } from '../unknown-task.ts';
import { logReturn } from '../untracked-attempt.ts';
import {
  attempts,
  away,
  copied,
  crash,
  done,
  endHandlers,
  envelope,
  fails,
  forgetMessages,
  log,
  lost,
  nextOf,
  postpones,
  received,
  rows,
  run,
  runAlone,
} from './untracked-work.ts';

beforeEach(forgetMessages);
afterAll(endHandlers);

const WAYS: [string, (message: ReceivedMessage) => Outcome][] = [
  ['no worker has a slot for it', (message) => outcomeWithoutSlot(message)],
  ['workers do not know its task', (message) => outcomeOfUnknown(envelope, message, 600)],
];

describe.each(WAYS)('an untracked message that continues in a copy because %s', (_why, givenBack) => {
  test('after each receive is a dead letter once it has killed three workers', async () => {
    let message = received(1);
    for (const id of ['m-2', 'm-3', 'm-4']) {
      await crash(message);
      message = copied(givenBack(copied(givenBack(nextOf(message)), `${id}-a`)), id);
    }
    await expect(run(message, done)).resolves.toMatchObject({ kind: 'dead-letter', reason: 'crashed' });
    expect([attempts, runAlone.mock.calls.length]).toEqual([[1, 1, 1], 1]);
  });

  test('loses no attempt after a crash or a stop, and keeps the count of failed attempts', async () => {
    await crash(received(1));
    await run(copied(givenBack(received(2)), 'm-2'), done);
    const stop = AbortSignal.abort(new Error('stopping'));
    await run(received(1, { messageId: 'n-1' }), fails, { signal: stop });
    await run(copied(givenBack(received(2, { messageId: 'n-1' })), 'n-2'), fails);
    await run(copied(givenBack(received(3, { messageId: 'n-1' })), 'n-3'), done);
    expect(attempts.slice(-3)).toEqual([1, 1, 2]);
  });

  test('is not a suspect if only its settling failed', async () => {
    await crash(received(1));
    const copy = copied(givenBack(received(2)), 'm-2');
    await run(copy, done);
    await logReturn(copy, log);
    await crash(nextOf(copy));
    await run(nextOf(nextOf(copy)), done);
    expect([attempts, runAlone.mock.calls]).toEqual([[1, 1, 1, 1], []]);
  });

  test('makes no request to the log if no handler has started', async () => {
    const spy = { find: jest.fn(log.find.bind(log)), keep: jest.fn(log.keep.bind(log)) };
    await run(copied(givenBack(received(1)), 'm-2'), done, { receives: spy });
    expect([spy.find.mock.calls, spy.keep.mock.calls]).toEqual([[], []]);
  });

  test('kills a function at most four times, as without copies', async () => {
    const options = { everyReceiveIsSeen: false };
    let message = received(1);
    for (const id of ['m-2', 'm-3', 'm-4', 'm-5']) {
      await crash(message, options);
      message = copied(givenBack(nextOf(message)), id);
    }
    const outcome = run(message, done, options);
    await expect(outcome).resolves.toMatchObject({ kind: 'dead-letter', reason: 'crashed' });
  });

  test('runs alone and is given up as without copies while the task store is away', async () => {
    const options = { receives: away };
    await crash(copied(givenBack(received(4)), 'm-2'), options);
    expect([attempts, runAlone.mock.calls.length]).toEqual([[3], 1]);
    const outcome = run(copied(givenBack(received(7)), 'm-3'), done, options);
    await expect(outcome).resolves.toMatchObject({ kind: 'dead-letter', reason: 'crashed' });
  });

  test('has one count with its copy if both exist, because a worker died between send and delete', async () => {
    let [message, copy] = [nextOf(received(1)), copied(givenBack(received(1)), 'm-2')];
    let deaths = 0;
    const dies = () => {
      deaths += 1;
      return new Promise<object>((resolve) => lost.push(() => resolve({})));
    };
    const reason = async (each: ReceivedMessage): Promise<string | undefined> => {
      const outcome = await Promise.race([run(each, dies), new Promise<undefined>(setImmediate)]);
      return outcome?.kind === 'dead-letter' ? outcome.reason : undefined;
    };
    const reasons: string[] = [];
    for (let round = 0; round < 10 && reasons.length < 2; round += 1) {
      for (const each of [message, copy]) {
        const said = await reason(each);
        if (said) reasons.push(said);
      }
      [message, copy] = [nextOf(message), nextOf(copy)];
    }
    expect(reasons).toEqual(['crashed', 'crashed']);
    expect(deaths).toBeLessThanOrEqual(4);
  });
});

describe('an untracked message that continues in a copy before SQS dead-letters it', () => {
  test('keeps its count of crashes if its worker had to stop', async () => {
    rows.set('m-1', { ended: 19, attempts: 0, crashes: 2, suspect: true });
    const stop = AbortSignal.abort(new Error('stopping'));
    const copy = copied(await run(received(20), fails, { signal: stop }), 'm-2');
    await crash(copy);
    await expect(run(nextOf(copy), done)).resolves.toMatchObject({ kind: 'dead-letter', reason: 'crashed' });
    expect(attempts).toHaveLength(1);
  });
});

describe('an untracked message whose attempt ended while the task store went away,', () => {
  const goesAway = (): ReceiveLog => {
    const keep = jest.fn(log.keep.bind(log)).mockImplementationOnce(log.keep.bind(log));
    return { find: log.find.bind(log), keep: keep.mockRejectedValue(new Error('away')) };
  };

  test.each([
    ['failed', fails, 2],
    ['was postponed', postpones, 1],
  ])('because it %s, is not a suspect: it continues in a copy', async (_what, handler, attempt) => {
    await crash(received(1));
    const copy = copied(await run(received(2), handler, { receives: goesAway() }), 'm-2');
    await run(copy, fails);
    await run(nextOf(copy), done);
    expect([attempts, runAlone.mock.calls]).toEqual([[1, 1, attempt, attempt + 1], []]);
  });

  test('because its worker had to stop, does not count this stop as a crash', async () => {
    await crash(received(1));
    const stop = new AbortController();
    const stopped = () => {
      stop.abort(new Error('stopping'));
      throw new Error('aborted');
    };
    const options = { receives: goesAway(), signal: stop.signal };
    const copy = copied(await run(received(2), stopped, options), 'm-2');
    await crash(copy);
    await run(nextOf(copy), done);
    expect([attempts, runAlone.mock.calls.length]).toEqual([[1, 1, 1, 1], 1]);
  });
});

describe('a copy that SQS itself dead-lettered, after it is put back,', () => {
  const old = new Date(Date.now() - 6 * 86_400_000).toISOString();

  test.each<[string, Record<string, string>]>([
    ['the series had used up attempts', { 'baton.earlier-attempts': '2' }],
    ['the series was received often', { 'baton.earlier-receives': '29' }],
    ['its first message is old', { 'baton.first-sent-at': old }],
    ['its worker died three times', { 'baton.first-id': 'm-0' }],
    ['it had to rest', { 'baton.not-before': new Date(Date.now() + 3_600_000).toISOString() }],
    ['many workers did not know its task', { 'baton.unknown-times': '60' }],
  ])('has all its attempts again, even if %s', async (_why, notes) => {
    rows.set('m-0', { ended: 0, attempts: 3, crashes: 3, begun: 1, alone: true, suspect: true });
    const set = Object.entries(notes).map(([name, StringValue]) => [
      name,
      { DataType: 'String', StringValue },
    ]);
    let message = received(1, { attributes: attributesPutBack(Object.fromEntries(set) as never) });
    const kinds: string[] = [];
    for (let receive = 1; receive <= 3; receive += 1) {
      kinds.push((await run(message, fails)).kind);
      message = nextOf(message);
    }
    expect([attempts, kinds]).toEqual([
      [1, 2, 3],
      ['retry', 'retry', 'dead-letter'],
    ]);
    const unknown = outcomeOfUnknown(envelope, message, 600);
    expect(unknown).toMatchObject({ kind: 'release' });
  });
});

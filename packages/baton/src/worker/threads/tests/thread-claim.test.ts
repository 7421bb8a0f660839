import { afterAll, beforeEach, expect, jest, test } from '@jest/globals';
import { ClaimLostError } from '../../../task/errors.ts';
import { InvalidValueError } from '../../../task/invalid-value.ts';
import type { AttemptHost } from '../../../run/attempt.ts';
import { processMessage } from '../../../run/process-message.ts';
import type { Claim } from '../../../run/task-tracker.ts';
import { createLogger } from '../../../telemetry/logger.ts';
import { passOn, pay, threadImplementations } from '../../../../tests/support/thread-tasks.ts';
import { ThreadPool } from '../thread-pool.ts';
import { messageBody, receivedMessage } from '../../../../tests/support/messages.ts';

const logger = createLogger({ service: 'tests', level: 'silent' });
const entry = new URL(import.meta.resolve('../../../../tests/support/test-thread.ts'));
const sender = { queueUrlPrefix: 'http://127.0.0.1:9/baton-', source: 'tests' };
const threads = new ThreadPool({ entry, threads: 1, sender, logger });
afterAll(() => threads.close());

const find = jest.fn<Claim['find']>();
const keep = jest.fn<Claim['keep']>();
const progress = jest.fn<Claim['progress']>();
beforeEach(() => {
  find.mockReset().mockResolvedValue(undefined);
  keep.mockReset().mockResolvedValue();
  progress.mockReset();
});

/** Runs a payment in a thread, with a claim of this test. */
function run(key: string, confirm?: Claim['confirm']) {
  const signal = new AbortController().signal;
  const claim: Claim = {
    attempt: 2,
    token: 3,
    crashes: 0,
    suspect: false,
    signal,
    begins: async () => undefined,
    begin: async () => undefined,
    find,
    keep,
    progress,
    conclude: async (outcome) => outcome,
    ...(confirm && { confirm }),
  };
  return runMessage(pay.name, { key }, { signal, outlivedBy: () => undefined }, claim);
}

function runMessage(task: string, data: object, host: AttemptHost, claim: Claim | undefined) {
  const message = receivedMessage({ body: messageBody({ task, data }), sentAtMs: 0 });
  return processMessage(message, 'default', host, {
    implementations: threadImplementations,
    threads,
    tracker: {
      claim: async () => claim as Claim,
      giveUp: async (_given, outcome) => outcome,
      now: async () => Date.now(),
    },
    send: jest.fn() as never,
    logger,
    worker: { id: 'w-1', version: '1' },
    unknownTaskPatienceSeconds: 600,
    abortGraceSeconds: 0.2,
  });
}

test('the worker keeps the effects of a handler in a thread, and writes its progress', async () => {
  keep.mockImplementation(async () => void find.mockResolvedValue({ result: { by: 't-1:card' } }));
  await expect(run('card')).resolves.toMatchObject({ kind: 'done', result: { paid: { by: 't-1:card' } } });
  expect(keep.mock.calls).toEqual([['card', { json: '{"by":"t-1:card"}' }]]);
  expect(progress.mock.calls).toEqual([[{ fraction: 0.5, message: 'paying under 3' }]]);
});

test('an effect in a thread does not start after its attempt is over, and nothing is written', async () => {
  await expect(run('card', () => Promise.resolve(false))).resolves.toMatchObject({
    kind: 'dead-letter',
    error: {
      name: 'AttemptOverError',
      message: expect.stringContaining('so the effect card did not begin') as unknown,
    },
  });
  expect(keep).not.toHaveBeenCalled();
});

test('a handler in a thread sends nothing once its attempt is over', async () => {
  const { signal } = new AbortController();
  const host = { signal, outlivedBy: () => undefined, confirm: () => Promise.resolve(false) };
  await expect(runMessage(passOn.name, {}, host, undefined)).resolves.toMatchObject({
    error: {
      name: 'AttemptOverError',
      message: expect.stringContaining('so the send of tests.block did not begin') as unknown,
    },
  });
});

test('a kept effect does not run again in a thread', async () => {
  find.mockResolvedValue({ result: 'before' });
  await expect(run('card')).resolves.toMatchObject({ kind: 'done', result: { paid: 'before' } });
  expect(keep).not.toHaveBeenCalled();
});

test.each([
  ['a lost claim', new ClaimLostError('gone')],
  ['an invalid key', new InvalidValueError('Invalid effect', [{ path: 'a b', message: 'no' }])],
])('%s reaches a handler in a thread as an error', async (_what, error) => {
  keep.mockRejectedValue(error);
  const { name, message } = error;
  await expect(run('card')).resolves.toMatchObject({ kind: 'dead-letter', error: { name, message } });
});

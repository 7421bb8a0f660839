import { beforeEach, describe, expect, jest, test } from '@jest/globals';
import { PostponeTask, RejectTask, RetryTask } from '../../task/errors.ts';
import { implement, Implementations, type TaskContext } from '../../task/implementation.ts';
import { type Processing } from '../processing.ts';
import { processMessage } from '../process-message.ts';
import type { ReceivedMessage } from '../../sqs/received-message.ts';
import { defineTask, type TaskContract } from '../../task/task.ts';
import type { SendTask } from '../../task/send-task.ts';
import type { Threads } from '../threads.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { startTrace } from '../../telemetry/trace-context.ts';
import * as z from 'zod';
import { messageBody, receivedMessage } from '../../../tests/support/messages.ts';

const work = defineTask({
  name: 'tests.work',
  queue: 'default',
  payload: z.object({ text: z.string() }),
  result: z.object({ length: z.int() }),
  retry: { maxAttempts: 3, baseSeconds: 60 },
  timeoutSeconds: 1,
});
/** The same contract with a shorter time limit than defineTask allows, so that tests wait less. */
const short = { ...work, timeoutSeconds: 0.05 };

type Handler = (payload: { text: string }, context: TaskContext) => unknown;

const send = jest.fn<SendTask>((async () => ({ taskId: 'sent' })) as never);
const trace = startTrace();
const alive = new AbortController().signal;
const outlivedBy = jest.fn<(handler: Promise<unknown>) => void>();

function processing(handler: Handler, contract: TaskContract = work): Processing {
  return {
    implementations: new Implementations([implement(contract, handler as never)]),
    send: send as never,
    logger: createLogger({ service: 'tests', level: 'silent' }),
    worker: { id: 'w-1', version: '1' },
    unknownTaskPatienceSeconds: 600,
    abortGraceSeconds: 0.1,
  };
}

function message(
  change: Partial<ReceivedMessage> = {},
  task = 'tests.work',
  data: unknown = { text: 'four' },
  version?: number,
): ReceivedMessage {
  return receivedMessage({ body: messageBody({ task, trace, version, data }), ...change });
}

const run = (handler: Handler, received = message(), signal = alive, contract?: TaskContract) =>
  processMessage(received, 'default', { signal, outlivedBy }, processing(handler, contract));

/** The notes of a copy that processes have released so many times, because they did not know its task. */
function released(times: number): ReceivedMessage['attributes'] {
  return { 'baton.unknown-times': { DataType: 'String', StringValue: String(times) } };
}

/** Runs an attempt with a short time limit. */
const outrun = (handler: Handler, received = message()) => run(handler, received, alive, short);

test.each([1, 2])('a process with version 2 of a contract runs a message of version %d', async (version) => {
  const second = processing(({ text }) => ({ length: text.length }), { ...work, version: 2 });
  const received = message({}, 'tests.work', { text: 'four' }, version);
  await expect(
    processMessage(received, 'default', { signal: alive, outlivedBy }, second),
  ).resolves.toMatchObject({ kind: 'done' });
});

describe('an attempt', () => {
  test('that returns has the outcome done, with the result', async () => {
    await expect(run(({ text }) => ({ length: text.length }))).resolves.toEqual({
      kind: 'done',
      result: { length: 4 },
    });
  });

  test('knows its task id, its number and its worker, and sends within its trace', async () => {
    let seen: TaskContext | undefined;
    await run(
      async (_payload, context) => {
        seen = context;
        await context.send(work, { text: 'next' });
        return { length: 0 };
      },
      message({ receiveCount: 2 }),
    );
    expect(seen).toMatchObject({ taskId: 't-1', attempt: 2, maxAttempts: 3, worker: { id: 'w-1' } });
    expect(send).toHaveBeenLastCalledWith(work, { text: 'next' }, { trace, parentId: 't-1', depth: 1 });
  });

  test('that throws is retried after the rest of its retry policy', async () => {
    const outcome = await run(() => {
      throw new Error('no');
    });
    expect(outcome).toMatchObject({ kind: 'retry', error: { message: 'no' } });
    const { delaySeconds } = outcome as { delaySeconds: number };
    expect(delaySeconds).toBeGreaterThanOrEqual(30);
    expect(delaySeconds).toBeLessThanOrEqual(60);
  });

  test('that throws leads to a dead letter if it is the last', async () => {
    const outcome = run(() => Promise.reject(new Error('no')), message({ receiveCount: 3 }));
    await expect(outcome).resolves.toMatchObject({
      kind: 'dead-letter',
      reason: 'attempts-exhausted',
      error: { message: 'no' },
    });
  });

  test('that throws PostponeTask is released for the given rest, even if it is the last', async () => {
    const outcome = run(
      () => Promise.reject(new PostponeTask('not now', { delaySeconds: 90 })),
      message({ receiveCount: 6 }),
    );
    await expect(outcome).resolves.toMatchObject({
      kind: 'release',
      delaySeconds: 90,
      error: { name: 'PostponeTask' },
    });
  });

  test.each([
    [4.9, 'release'],
    [5, 'dead-letter'],
  ])('that is postponed %d days after its message was sent has the outcome %s', async (days, kind) => {
    const outcome = run(
      () => Promise.reject(new PostponeTask('not now', { delaySeconds: 90 })),
      message({ sentAtMs: Date.now() - days * 86_400_000 }),
    );
    await expect(outcome).resolves.toMatchObject({ kind, error: { message: 'not now' } });
  });

  test.each([
    [0, 0],
    [7.2, 8],
    [100_000, 43_200],
  ])('that throws RetryTask with %d s is retried after %d s', async (delaySeconds, rests) => {
    const outcome = run(() => Promise.reject(new RetryTask('later', { delaySeconds })));
    await expect(outcome).resolves.toMatchObject({ kind: 'retry', delaySeconds: rests });
  });

  test('that throws RejectTask leads to a dead letter at once', async () => {
    const outcome = run(() => Promise.reject(new RejectTask('never')));
    await expect(outcome).resolves.toMatchObject({
      kind: 'dead-letter',
      reason: 'rejected',
      error: { message: 'never' },
    });
  });

  test('that throws shortly before SQS deletes its message is the last', async () => {
    const outcome = run(
      () => Promise.reject(new Error('no')),
      message({ sentAtMs: Date.now() - 5 * 86_400_000 }),
    );
    await expect(outcome).resolves.toMatchObject({ kind: 'dead-letter', reason: 'attempts-exhausted' });
  });

  test('that throws a value other than an error is retried, and its error shows the value', async () => {
    const outcome = run(() => Promise.reject('just text'));
    await expect(outcome).resolves.toMatchObject({ kind: 'retry', error: { message: 'Thrown: just text' } });
  });

  test('whose result breaks the contract fails', async () => {
    await expect(run(() => ({ length: 'four' }))).resolves.toMatchObject({
      kind: 'retry',
      error: { name: 'InvalidValueError' },
    });
  });

  test.each([
    [1, { kind: 'retry', error: { name: 'TaskTimeoutError' } }],
    [3, { kind: 'dead-letter', reason: 'timed-out' }],
  ])(
    'with the number %d has its signal aborted once its time limit has passed',
    async (receiveCount, outcome) => {
      const untilAborted: Handler = (_payload, { signal }) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
      await expect(outrun(untilAborted, message({ receiveCount }))).resolves.toMatchObject(outcome);
    },
  );

  test('that ignores its signal gets its outcome after the abort grace, and its host is told', async () => {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    await expect(outrun(() => promise)).resolves.toMatchObject({
      kind: 'retry',
      error: { name: 'TaskTimeoutError' },
    });
    expect(outlivedBy).toHaveBeenCalledTimes(1);
    resolve({ length: 4 });
    await expect(outlivedBy.mock.calls[0]?.[0]).resolves.toEqual({ length: 4 });
  });

  test('that ignores its signal gets its outcome after the grace, even if its worker stopped before', async () => {
    const outcome = run(
      () => new Promise(() => undefined),
      message(),
      AbortSignal.abort(new Error('stopping')),
    );
    await expect(outcome).resolves.toMatchObject({ kind: 'release', error: { message: 'stopping' } });
  });

  test('whose worker must stop is released', async () => {
    const stop = new AbortController();
    const outcome = run(
      (_payload, { signal }) => {
        stop.abort(new Error('stopping'));
        signal.throwIfAborted();
      },
      message(),
      stop.signal,
    );
    await expect(outcome).resolves.toMatchObject({ kind: 'release', error: { message: 'stopping' } });
  });

  test('is made even if releases and crashes have used up the receives: it is the last', async () => {
    await expect(run(() => ({ length: 4 }), message({ receiveCount: 6 }))).resolves.toMatchObject({
      kind: 'done',
    });
    const failing = run(() => Promise.reject(new Error('no')), message({ receiveCount: 6 }));
    await expect(failing).resolves.toMatchObject({ kind: 'dead-letter', reason: 'attempts-exhausted' });
  });
});

describe('an attempt at a task whose isolation is thread', () => {
  const isolated = defineTask({ ...work, isolation: 'thread' });
  const soonOver = { ...isolated, timeoutSeconds: short.timeoutSeconds };
  const here = jest.fn<Handler>(() => ({ length: 1 }));

  /** Runs an attempt with these threads, which run each handler. */
  function runIn(contract: typeof work, start: Threads['run']) {
    const usual = processing(here);
    const implementations = new Implementations([implement(contract, here as never)]);
    const host = { signal: alive, outlivedBy };
    return processMessage(message(), 'default', host, { ...usual, implementations, threads: { run: start } });
  }

  beforeEach(() => {
    here.mockClear();
    outlivedBy.mockClear();
  });

  test('runs in a thread, with the payload as it was received and the trace for its sends', async () => {
    const start = jest.fn<Threads['run']>(() => ({ ended: Promise.resolve({ length: 4 }) }));
    await expect(runIn(isolated, start)).resolves.toEqual({ kind: 'done', result: { length: 4 } });
    expect(here).not.toHaveBeenCalled();
    const context = { taskId: 't-1', attempt: 1, maxAttempts: 3, signal: expect.any(AbortSignal) as unknown };
    expect(start.mock.calls[0]?.[0]).toMatchObject({
      task: 'tests.work',
      data: { text: 'four' },
      trace,
      context,
    });
  });

  test('that ignores its signal gets its outcome once its thread has ended, and its host is not told', async () => {
    const { promise: ended, reject } = Promise.withResolvers<unknown>();
    let gone = false;
    const terminate = (): void => {
      setImmediate(() => {
        gone = true;
        reject(new Error('terminated'));
      });
    };
    await expect(runIn(soonOver, () => ({ ended, terminate }))).resolves.toMatchObject({
      kind: 'retry',
      error: { name: 'TaskTimeoutError' },
    });
    expect(gone).toBe(true);
    expect(outlivedBy).not.toHaveBeenCalled();
  });

  test('gets its outcome if its thread cannot be ended either, and its host is told', async () => {
    const ended = new Promise(() => undefined);
    await expect(runIn(soonOver, () => ({ ended, terminate: () => undefined }))).resolves.toMatchObject({
      kind: 'retry',
      error: { name: 'TaskTimeoutError' },
    });
    expect(outlivedBy).toHaveBeenCalledWith(ended);
  });

  test('runs in the process if there are no threads, as all other tasks do', async () => {
    const start = jest.fn<Threads['run']>();
    await expect(runIn(work, start)).resolves.toMatchObject({ kind: 'done', result: { length: 1 } });
    expect(start).not.toHaveBeenCalled();
    const implementations = new Implementations([implement(isolated, here as never)]);
    const host = { signal: alive, outlivedBy };
    await expect(
      processMessage(message(), 'default', host, { ...processing(here), implementations }),
    ).resolves.toMatchObject({ kind: 'done', result: { length: 1 } });
  });
});

describe('a message', () => {
  const never: Handler = () => {
    throw new Error('must not run');
  };

  test.each([
    ['is not JSON', message({ body: 'hello' }), 'malformed'],
    ['is not an envelope', message({ body: '{"a":1}' }), 'malformed'],
    ['has a payload that breaks its contract', message({}, 'tests.work', { text: 4 }), 'invalid-payload'],
    [
      'has been unknown to all workers for ten minutes',
      message({ attributes: released(28) }, 'tests.new'),
      'unknown-task',
    ],
  ])('that %s becomes a dead letter', async (_what, received, reason) => {
    await expect(run(never, received)).resolves.toMatchObject({ kind: 'dead-letter', reason });
  });

  test('that breaks its contract leads to an error with the path', async () => {
    const outcome = await run(never, message({}, 'tests.work', {}));
    expect(outcome).toMatchObject({ error: { issues: [{ path: 'text' }] } });
  });

  test('of an unknown task is released at once, however old it is, because a deploy may bring the task', async () => {
    const days = message({ sentAtMs: Date.now() - 4 * 86_400_000 }, 'tests.new');
    const copied = { kind: 'release', asCopy: true, error: { name: 'UnknownTaskError' } };
    await expect(run(never, days)).resolves.toMatchObject({ ...copied, delaySeconds: 0 });
  });

  test('of a later version than its consumer knows is released like that of an unknown task', async () => {
    for (const data of [{ text: 'four' }, { words: ['four'] }]) {
      const later = message({}, 'tests.work', data, 2);
      const outcome = await run(never, later);
      expect(outcome).toMatchObject({ kind: 'release', error: { name: 'UnknownTaskError' } });
      expect(outcome).toMatchObject({ error: { message: expect.stringContaining('version 2') as unknown } });
      const old = { ...later, attributes: released(28) };
      await expect(run(never, old)).resolves.toMatchObject({ kind: 'dead-letter', reason: 'unknown-task' });
    }
  });
});

import { afterAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigError } from '../../../../process/config.ts';
import type { AttemptHost } from '../../../../run/attempt.ts';
import { processMessage } from '../../../../run/process-message.ts';
import type { TaskContract } from '../../../../task/task.ts';
import { Implementations } from '../../../../task/implementation.ts';
import { pingTask } from '../../../../../tests/support/ping.ts';
import { createLogger } from '../../../../telemetry/logger.ts';
import { startTrace } from '../../../../telemetry/trace-context.ts';
import { eventually } from 'baton-dev/testing/eventually';
import {
  burn,
  burnOn,
  end,
  stopOnAbort,
  threadImplementations,
} from '../../../../../tests/support/thread-tasks.ts';
import { readWorkerConfig } from '../../../config.ts';
import { ThreadPool, threadPoolFor } from '../../thread-pool.ts';
import { Worker } from '../../../worker.ts';
import { messageBody, receivedMessage } from '../../../../../tests/support/messages.ts';

const lines: Record<string, unknown>[] = [];
const to = { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) };
const logger = createLogger({ service: 'tests', to });
const entry = new URL(import.meta.resolve('../../../../../tests/support/test-thread.ts'));
const sender = { queueUrlPrefix: 'http://127.0.0.1:9/baton-', source: 'tests' };
const pool = new ThreadPool({ entry, threads: 2, sender, logger });
const outlivedBy = jest.fn<AttemptHost['outlivedBy']>();

beforeEach(() => {
  lines.length = 0;
  outlivedBy.mockClear();
});
afterAll(() => pool.close());

interface Circumstances {
  readonly receiveCount?: number;
  readonly signal?: AbortSignal;
  readonly threads?: ThreadPool | undefined;
  readonly abortGraceSeconds?: number;
}

const USUAL = {
  receiveCount: 1,
  signal: new AbortController().signal,
  threads: pool,
  abortGraceSeconds: 0.2,
};

function run(contract: TaskContract, data: unknown, circumstances: Circumstances = {}) {
  const { receiveCount, signal, threads, abortGraceSeconds } = { ...USUAL, ...circumstances };
  const body = messageBody({ task: contract.name, trace: startTrace(), data });
  const message = receivedMessage({ body, receiveCount });
  const processing = {
    implementations: threadImplementations,
    threads,
    send: jest.fn() as never,
    logger,
    worker: { id: 'w-1', version: '1' },
    unknownTaskPatienceSeconds: 600,
    abortGraceSeconds,
  };
  return processMessage(message, 'default', { signal, outlivedBy }, processing);
}

/** How many cores this process uses, with its threads. */
async function busyCores(): Promise<number> {
  const startedAtMs = performance.now();
  const since = process.cpuUsage();
  await sleep(100);
  return process.cpuUsage(since).user / 1000 / (performance.now() - startedAtMs);
}

const began = () => lines.some(({ message }) => message === 'burn begins');

describe('a handler in a thread', () => {
  test.each([
    ['retry', { kind: 'retry', delaySeconds: 7, error: { name: 'RetryTask', message: 'later' } }],
    ['postpone', { kind: 'release', delaySeconds: 8, error: { name: 'PostponeTask', message: 'not now' } }],
    [
      'reject',
      {
        kind: 'dead-letter',
        reason: 'rejected',
        error: { name: 'RejectTask', message: 'never', cause: { name: 'TypeError', message: 'because' } },
      },
    ],
    [
      'fail',
      { kind: 'retry', error: { name: 'RangeError', message: 'no', code: 'E_NO', cause: { code: 4 } } },
    ],
    ['throw text', { kind: 'retry', error: { message: 'Thrown: just text' } }],
    ['throw a function', { kind: 'retry', error: { message: 'Thrown: [Function (anonymous)]' } }],
    ['throw in a circle', { kind: 'retry', error: { message: 'round', cause: { message: 'round' } } }],
    ['throw a strange message', { kind: 'retry', error: { name: 'Error', message: '[Function: message]' } }],
    ['throw what is frozen', { kind: 'dead-letter', reason: 'rejected', error: { message: 'frozen' } }],
    [
      'throw what cannot be read',
      { kind: 'retry', error: { message: expect.stringMatching(/^Thrown: /) as unknown } },
    ],
    ['return a function', { kind: 'done' }],
    ['return nothing', { kind: 'done', result: undefined }],
    [
      'exit the process',
      {
        kind: 'retry',
        error: {
          name: 'ProcessEndError',
          message:
            'The handler of tests.end called process.exit(3); a handler must not end its process: expected it to throw an error',
        },
      },
    ],
    [
      'throw where nobody waits',
      { kind: 'retry', error: { name: 'StrayError', cause: { message: 'stray' } } },
    ],
    [
      'return its context',
      {
        kind: 'done',
        result: { taskId: 't-1', attempt: 1, maxAttempts: 5, worker: { id: 'w-1', version: '1' } },
      },
    ],
  ])('told to %s has the same outcome as on the event loop', async (how, outcome) => {
    await expect(run(end, { how })).resolves.toMatchObject(outcome);
  });

  test('leads to an error with its own stack', async () => {
    const outcome = await run(end, { how: 'fail' });
    expect(outcome).toMatchObject({
      error: { stack: expect.stringContaining('thread-tasks.ts') as unknown },
    });
    expect((outcome as { error: Error }).error).toBeInstanceOf(RangeError);
  });

  test('gets the payload as its schema returns it', async () => {
    await expect(run(end, { how: 'return its payload', where: ' here ' })).resolves.toEqual({
      kind: 'done',
      result: { where: 'here' },
    });
  });

  test('that burns CPU for ever is terminated after the abort grace', async () => {
    const running = run(burnOn, { ms: 600_000 });
    await eventually('a burning thread', began);
    await expect(running).resolves.toMatchObject({ kind: 'retry', error: { name: 'TaskTimeoutError' } });
    expect(outlivedBy).not.toHaveBeenCalled();
    await eventually('a CPU at rest', async () => (await busyCores()) < 0.5);
    await expect(run(burnOn, { ms: 600_000 }, { receiveCount: 2 })).resolves.toMatchObject({
      kind: 'dead-letter',
      reason: 'timed-out',
    });
  });

  test('that burns CPU while its worker must stop is terminated, and its message is released', async () => {
    const stop = new AbortController();
    const running = run(burn, { ms: 600_000 }, { signal: stop.signal });
    await eventually('a burning thread', began);
    stop.abort(new Error('stopping'));
    await expect(running).resolves.toMatchObject({ kind: 'release', error: { message: 'stopping' } });
    expect(outlivedBy).not.toHaveBeenCalled();
  });

  test('in native code cannot be terminated, so its host is told and waits for its end', async () => {
    const stop = new AbortController();
    const running = run(end, { how: 'call a program' }, { signal: stop.signal });
    await eventually('a program', () => lines.some(({ message }) => message === 'calling a program'));
    stop.abort(new Error('stopping'));
    await expect(running).resolves.toMatchObject({ kind: 'release' });
    expect(outlivedBy).toHaveBeenCalledTimes(1);
    const handler = outlivedBy.mock.calls[0]?.[0];
    const still = Promise.resolve('still');
    await expect(Promise.race([handler, still])).resolves.toBe('still');
    await expect(handler).rejects.toThrow('ended without an answer');
  });

  test('whose signal aborted before its start sees the aborted signal', async () => {
    const signal = AbortSignal.abort(new Error('stopping'));
    // The start of a new thread takes some time, so the abort grace must be long enough
    await expect(run(stopOnAbort, {}, { signal, abortGraceSeconds: 10 })).resolves.toMatchObject({
      kind: 'release',
    });
    expect(lines).toContainEqual(expect.objectContaining({ message: 'signal aborted', reason: 'Error' }));
  });

  test('that throws after its end does not change its outcome', async () => {
    await expect(run(end, { how: 'throw after its end' })).resolves.toMatchObject({ kind: 'done' });
    const line = await eventually('a line', () =>
      lines.find(({ message }) => String(message).startsWith('uncaught error of tests.end')),
    );
    expect(line).toMatchObject({ taskId: 't-1', error: { type: 'StrayError' } });
    await expect(run(end, { how: 'retry' })).resolves.toMatchObject({ kind: 'retry', delaySeconds: 7 });
  });

  test('fails if its pool has no entry file', async () => {
    const missing = new ThreadPool({ entry: new URL('nowhere.ts', entry), threads: 1, sender, logger });
    await expect(run(end, { how: 'retry' }, { threads: missing })).resolves.toMatchObject({
      kind: 'retry',
      error: { message: expect.stringContaining('nowhere.ts') as unknown },
    });
    await missing.close();
  });

  test('does not wait for another handler, because there are as many threads as slots', async () => {
    const stop = new AbortController();
    const running = [1, 2].map(() => run(burn, { ms: 600_000 }, { signal: stop.signal }));
    await eventually(
      'two burning',
      () => lines.filter(({ message }) => message === 'burn begins').length === 2,
    );
    stop.abort(new Error('stopping'));
    await Promise.all(running);
    await expect(run(end, { how: 'retry' })).resolves.toMatchObject({ kind: 'retry', delaySeconds: 7 });
  });
});

describe('a worker', () => {
  const config = readWorkerConfig({
    AWS_REGION: 'us-east-1',
    QUEUE_URL_PREFIX: sender.queueUrlPrefix,
    TASKS_TABLE: 'tasks',
  });

  const options = { threads: 2, sender, logger };

  test('has threads if the isolation of a task is thread', async () => {
    const threads = threadPoolFor(threadImplementations, entry, options);
    expect(threads).toBeInstanceOf(ThreadPool);
    await threads?.close();
  });

  test('closes its threads when it stops', async () => {
    const close = jest.spyOn(ThreadPool.prototype, 'close');
    const implementations = threadImplementations;
    await new Worker({ config, implementations, threadEntry: entry, logger }).stop();
    expect(close).toHaveBeenCalledTimes(1);
    close.mockRestore();
  });

  test('has no threads if no task needs one', () => {
    expect(threadPoolFor(new Implementations([pingTask]), entry, options)).toBeUndefined();
    expect(threadPoolFor(new Implementations([pingTask]), undefined, options)).toBeUndefined();
  });

  test('does not start if a task needs a thread and there is no entry file', () => {
    const start = (): unknown => new Worker({ config, implementations: threadImplementations, logger });
    expect(start).toThrow(ConfigError);
    expect(start).toThrow(/^The isolation of tests\.burn, tests\.burn-on, .* is thread, but this worker/);
  });
});

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { inspect } from 'node:util';
import { deadLetterEntry } from '../../sqs/dead-letter.ts';
import * as publicNames from '../../index.ts';
import { PostponeTask, RejectTask, RetryTask, TaskError } from '../../task/errors.ts';
import { implement, Implementations, type TaskContext } from '../../task/implementation.ts';
import { createLambdaConsumer } from '../../lambda/lambda-consumer.ts';
import { asError, fromPlain, toPlain } from '../../task/plain-error.ts';
import { processMessage } from '../../run/process-message.ts';
import { QueueUrls } from '../../sqs/queue-urls.ts';
import { defineTask } from '../../task/task.ts';
import { ANYBODY } from '../../http/caller.ts';
import { createRouter } from '../../http/router.ts';
import { route } from '../../http/route.ts';
import { createLogger } from '../logger.ts';
import { isInstance, reasonOf } from '../thrown.ts';
import { CardDeclined, KNOWN_THROWABLES, throwables } from '../../../tests/support/throwables.ts';
import { randomRuns } from 'baton-dev/testing/random-runs';
import * as fc from 'fast-check';
import * as z from 'zod';
import { TrackedWork } from '../../tracked/tests/tracked-work.ts';
import { messageBody, receivedMessage } from '../../../tests/support/messages.ts';

const work = defineTask({
  name: 'tests.throw',
  queue: 'default',
  payload: z.object({ index: z.int() }),
  result: z.object({}),
  retry: { maxAttempts: 3, baseSeconds: 60 },
  timeoutSeconds: 5,
});
/** The characters that SQS accepts in an attribute. */
const ATTRIBUTE = /^[\t\n\r\u0020-\uD7FF\uE000-\uFFFD]+$/;

const lines: string[] = [];
const logger = createLogger({ service: 'tests', to: { write: (line: string) => void lines.push(line) } });
const worker = { id: 'w-1', version: '1' };

function written(): Record<string, unknown>[] {
  return lines.splice(0).map((line) => JSON.parse(line) as Record<string, unknown>);
}

function bodyOf(index: number): string {
  return messageBody({ taskId: `t-${index}`, task: work.name, data: { index } });
}

const messageOf = (receiveCount: number) => receivedMessage({ body: bodyOf(0), receiveCount });

function processingOf(handler: (index: number, context: TaskContext) => unknown) {
  return {
    implementations: new Implementations([
      implement(work, (({ index }: { index: number }, context: TaskContext) =>
        handler(index, context)) as never),
    ]),
    send: (async () => ({ taskId: 'sent' })) as never,
    logger,
    worker,
    unknownTaskPatienceSeconds: 600,
    abortGraceSeconds: 0.1,
  };
}

function outcomeOf(thrown: unknown, receiveCount = 1) {
  const processing = processingOf(() => {
    throw thrown;
  });
  const host = { signal: new AbortController().signal, outlivedBy: () => undefined };
  return processMessage(messageOf(receiveCount), 'default', host, processing);
}

function expectedKind(thrown: unknown, receiveCount: number): object {
  if (isInstance(thrown, RejectTask)) return { kind: 'dead-letter', reason: 'rejected' };
  if (isInstance(thrown, PostponeTask)) return { kind: 'release' };
  return receiveCount < 3 ? { kind: 'retry' } : { kind: 'dead-letter', reason: 'attempts-exhausted' };
}

describe('any value that a handler throws', () => {
  test('becomes an error whose name, message and stack are plain strings', () => {
    fc.assert(
      fc.property(throwables, (make) => {
        const thrown = make();
        const plain = toPlain(thrown);
        const error = fromPlain(structuredClone(plain));
        expect([typeof error.name, typeof error.message, typeof error.stack]).toEqual(
          Array(3).fill('string'),
        );
        expect(inspect(error).length).toBeLessThan(1_000_000);
        expect(JSON.stringify(plain).length).toBeLessThan(1_000_000);
        expect(isInstance(error, RejectTask)).toBe(isInstance(thrown, RejectTask));
        expect(isInstance(error, RetryTask)).toBe(isInstance(thrown, RetryTask));
      }),
      { numRuns: randomRuns(1000) },
    );
  });

  test('leads to the outcome of its class, and is logged', async () => {
    await fc.assert(
      fc.asyncProperty(throwables, fc.constantFrom(1, 3), async (make, receiveCount) => {
        const thrown = make();
        await expect(outcomeOf(thrown, receiveCount)).resolves.toMatchObject(
          expectedKind(thrown, receiveCount),
        );
        const [line] = written();
        expect(line).toMatchObject({ taskId: 't-0', error: { message: expect.any(String) as unknown } });
      }),
      { numRuns: randomRuns(1000) },
    );
  });

  test('fits into a dead letter, cut to the limits', () => {
    fc.assert(
      fc.property(throwables, (make) => {
        const thrown = make();
        const deadLetter = {
          reason: 'rejected',
          error: asError(thrown),
          workerId: 'w-1',
          queue: 'work',
        } as const;
        const { MessageAttributes } = deadLetterEntry(messageOf(1), deadLetter);
        for (const { StringValue = '' } of Object.values(MessageAttributes))
          expect(StringValue).toMatch(ATTRIBUTE);
      }),
      { numRuns: randomRuns(300) },
    );
  });

  test('can be logged by the handler, with each method of the logger', async () => {
    await fc.assert(
      fc.asyncProperty(throwables, async (make) => {
        const thrown = make();
        const processing = processingOf((_index, context) => {
          context.logger.error(thrown as Error, 'failed');
          context.logger.error(thrown as Error);
          context.logger.error({ error: thrown }, 'failed');
          context.logger.error({ err: thrown });
          context.logger.child({ error: thrown }).error('failed %s', 'so');
          return {};
        });
        const host = { signal: new AbortController().signal, outlivedBy: () => undefined };
        await expect(processMessage(messageOf(1), 'default', host, processing)).resolves.toMatchObject({
          kind: 'done',
        });
        expect(written()).toHaveLength(6);
      }),
      { numRuns: randomRuns(300) },
    );
  });

  test('does not affect the other records of a Lambda batch', async () => {
    const succeed = ({ input }: { input: { Entries: { Id: string }[] } }) =>
      Promise.resolve({ Successful: input.Entries.map(({ Id }) => ({ Id })) });
    await fc.assert(
      fc.asyncProperty(throwables, async (make) => {
        const thrown = make();
        const {
          unknownTaskPatienceSeconds: _patience,
          abortGraceSeconds: _grace,
          ...processing
        } = processingOf((index) => {
          if (index === 3) throw thrown;
          return {};
        });
        const queueUrls = new QueueUrls('http://127.0.0.1:9/1/baton-');
        const consume = createLambdaConsumer({ ...processing, sqs: { send: succeed } as never, queueUrls });
        const Records = Array.from({ length: 5 }, (_, index) => recordOf(index));
        const answer = await consume({ Records } as never, { getRemainingTimeInMillis: () => 30_000 });
        const failed = isInstance(thrown, RejectTask) ? [] : [{ itemIdentifier: 'm-3' }];
        expect(answer).toEqual({ batchItemFailures: failed });
        written();
      }),
      { numRuns: randomRuns(200) },
    );
  });

  test.each(KNOWN_THROWABLES)('gives the answer 500 if a route throws it: %s', async (_what, thrown) => {
    const routes = [route('GET', '/things', {}, () => Promise.reject(thrown))];
    const event = {
      version: '2.0',
      rawPath: '/things',
      headers: {},
      requestContext: { http: { method: 'GET', path: '/things' } },
    };
    await expect(
      createRouter({ logger, authenticate: async () => ANYBODY }, routes)(event as never, {}),
    ).resolves.toMatchObject({
      statusCode: 500,
    });
    expect(written()).toMatchObject([{ status: 500 }]);
  });
});

test('an error that a schema throws leads to a retry, like one of the handler', async () => {
  const refuse = (): never => {
    throw Object.freeze(new Error('the refinement is broken'));
  };
  const payload = z.object({ index: z.int().refine(refuse) });
  const implementations = new Implementations([implement({ ...work, payload }, () => ({}))]);
  const host = { signal: new AbortController().signal, outlivedBy: () => undefined };
  const processing = { ...processingOf(() => ({})), implementations };
  await expect(processMessage(messageOf(1), 'default', host, processing)).resolves.toMatchObject({
    kind: 'retry',
    error: { message: 'the refinement is broken' },
  });
});

test('a caught error keeps its class, properties and causes, within limits', () => {
  const cause = Object.assign(new TypeError('no route'), { code: 'EHOSTUNREACH', socket: new Map() });
  const error = asError(Object.freeze(new CardDeclined('declined', { cause })));
  expect(error).toBeInstanceOf(RejectTask);
  expect(error).toMatchObject({
    name: 'RejectTask',
    message: 'declined',
    decline: { code: 51, at: new Date(0) },
  });
  expect(error.stack).toContain('thrown.test.ts');
  expect(error.cause).toMatchObject({ name: 'TypeError', message: 'no route', code: 'EHOSTUNREACH' });
  expect(Object.keys(error.cause as object)).not.toContain('socket');
});

test('every public error of a task keeps its class when a thread passes it to another', () => {
  const classes = Object.values(publicNames).filter(isTaskErrorClass);
  expect(classes.length).toBeGreaterThan(10);
  for (const each of classes) {
    const error: unknown = Reflect.construct(TaskError, ['failed'], each);
    expect(fromPlain(structuredClone(toPlain(error)))).toBeInstanceOf(each);
  }
});

function isTaskErrorClass(value: unknown): value is typeof TaskError {
  return typeof value === 'function' && (value === TaskError || value.prototype instanceof TaskError);
}

test('the reason of a failure is never empty: the message, or the name if the error has no message', async () => {
  expect(reasonOf(new TypeError('not a number'))).toBe('not a number');
  expect(reasonOf(new TypeError(''))).toBe('TypeError');
  expect(reasonOf(new AggregateError([]))).toBe('AggregateError');
  fc.assert(
    fc.property(throwables, (make) => {
      expect(reasonOf(make())).toMatch(/./);
    }),
  );
});

describe('the row of a tracked task', () => {
  let tracked: TrackedWork;
  beforeAll(async () => {
    tracked = await TrackedWork.start();
  });
  afterAll(() => tracked.stop());

  test.each(KNOWN_THROWABLES)('shows that its handler threw %s', async (_what, thrown) => {
    tracked.begin();
    const outcome = await tracked.run(() => {
      throw thrown;
    });
    expect(outcome).toMatchObject(expectedKind(thrown, 1));
    await expect(tracked.store.find(tracked.taskId)).resolves.toMatchObject(expectedRow(thrown));
  });
});

function expectedRow(thrown: unknown): object {
  if (isInstance(thrown, PostponeTask)) return { state: 'queued', attempts: 0 };
  const state = isInstance(thrown, RejectTask) ? 'failed' : 'retrying';
  return { state, attempts: 1, error: { message: expect.any(String) as unknown } };
}

function recordOf(index: number) {
  const nowMs = String(Date.now());
  return {
    messageId: `m-${index}`,
    receiptHandle: `r-${index}`,
    body: bodyOf(index),
    attributes: {
      ApproximateReceiveCount: '1',
      SentTimestamp: nowMs,
      ApproximateFirstReceiveTimestamp: nowMs,
    },
    messageAttributes: {},
    eventSourceARN: 'arn:aws:sqs:us-east-1:1:baton-default',
  };
}

import { describe, expect, test } from '@jest/globals';
import { PostponeTask, RetryTask } from '../../task/errors.ts';
import { implement, Implementations } from '../../task/implementation.ts';
import { createLambdaConsumer } from '../../lambda/lambda-consumer.ts';
import { QueueUrls } from '../../sqs/queue-urls.ts';
import { fromRecord } from '../../sqs/received-message.ts';
import { type OptionalRest, type Rest, readRest } from '../rest.ts';
import { Settler } from '../../sqs/settler.ts';
import { defineTask } from '../../task/task.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { randomRuns } from 'baton-dev/testing/random-runs';
import * as fc from 'fast-check';
import * as z from 'zod';
import { messageBody } from '../../../tests/support/messages.ts';

const nowMs = Date.parse('2026-10-21T07:28:00Z');
const work = defineTask({
  name: 'tests.rest',
  queue: 'default',
  payload: z.object({}),
  result: z.object({}),
  retry: { maxAttempts: 3, baseSeconds: 60 },
  timeoutSeconds: 5,
});

describe('a rest', () => {
  test.each<[OptionalRest, number | undefined]>([
    [{ delaySeconds: 7.2 }, 7.2],
    [{}, undefined],
    [{ delaySeconds: undefined }, undefined],
    [{ until: new Date(nowMs + 30_500) }, 31],
    [{ until: new Date(nowMs - 1) }, 0],
    [{ retryAfter: '120' }, 120],
    [{ retryAfter: ' 0 ' }, 0],
    [{ retryAfter: '1.5' }, 1.5],
    [{ retryAfter: 'Wed, 21 Oct 2026 07:28:30 GMT' }, 30],
    [{ retryAfter: 'Wednesday, 21-Oct-26 07:28:30 GMT' }, 30],
    [{ retryAfter: 'Wed Oct 21 07:28:30 2026' }, 30],
    [{ retryAfter: 'Sun Nov  1 07:28:00 2026' }, 11 * 86_400],
    [{ retryAfter: 'Sunday, 06-Nov-94 08:49:37 GMT' }, 0],
    [{ retryAfter: 'Sat, 31 Dec 2016 23:59:60 GMT' }, 0],
  ])('of %j is %s s', (rest, delaySeconds) => {
    expect(readRest(rest, nowMs)).toEqual({ delaySeconds });
  });

  test.each<[unknown, string]>([
    [{ delaySeconds: NaN }, 'delaySeconds: expected a number of seconds, got NaN'],
    [{ delaySeconds: '20' }, 'delaySeconds: expected a number of seconds, got "20"'],
    [{ until: new Date(NaN) }, 'until: expected a valid Date, got an invalid Date'],
    [{ until: '2026-10-21' }, 'until: expected a valid Date, got "2026-10-21"'],
    [{ retryAfter: null }, 'retryAfter: expected a Retry-After header, got null'],
    [{ retryAfter: undefined }, 'retryAfter: expected a Retry-After header, got undefined'],
    ...[
      '',
      'soon',
      '-1',
      '1e3',
      '120, 120',
      '2026-10-21',
      'Wed, 31 Feb 2026 07:28:00 GMT',
      'Wed, 21 Okt 2026 07:28:00 GMT',
      'Wed, 21 Oct 2026 27:28:00 GMT',
    ].map((retryAfter): [unknown, string] => [
      { retryAfter },
      `retryAfter: expected a number of seconds or an HTTP date, got ${JSON.stringify(retryAfter)}`,
    ]),
  ])('of %j is invalid: the retry policy decides, and the result says why', (rest, unusableRest) => {
    expect(readRest(rest as Rest, nowMs)).toEqual({ delaySeconds: undefined, unusableRest });
  });
});

interface Entry {
  readonly Id: string;
  readonly VisibilityTimeout?: unknown;
  readonly DelaySeconds?: unknown;
}

/** Stands in for the SQS client: accepts every request and records it. */
function takingAll() {
  const entries: Entry[] = [];
  const send = async ({ input }: { input: { Entries: Entry[] } }) => {
    entries.push(...input.Entries);
    return { Successful: input.Entries };
  };
  return { entries, sqs: { send } as never };
}

const queueUrls = new QueueUrls('http://127.0.0.1:9/1/baton-');

/** Runs one record in a function whose handler throws. Returns the VisibilityTimeout sent to SQS, and the log lines. */
async function settled(thrown: unknown, attributes: object = { ApproximateReceiveCount: '1' }) {
  const { entries, sqs } = takingAll();
  const lines: string[] = [];
  const consume = createLambdaConsumer({
    implementations: new Implementations([
      implement(work, () => {
        throw thrown;
      }),
    ]),
    sqs,
    queueUrls,
    send: (async () => ({ taskId: 'sent' })) as never,
    logger: createLogger({ service: 'tests', to: { write: (line: string) => void lines.push(line) } }),
    worker: { id: 'w-1', version: '1' },
  });
  const record = recordOf(attributes);
  await consume({ Records: [record] } as never, { getRemainingTimeInMillis: () => 30_000 });
  return { entries, line: JSON.parse(lines[0] ?? '{}') as { error: Record<string, unknown> } };
}

function recordOf(attributes: object) {
  return {
    messageId: 'm-1',
    receiptHandle: 'r-1',
    body: messageBody({ task: work.name }),
    attributes,
    messageAttributes: {},
    eventSourceARN: 'arn:aws:sqs:us-east-1:1:baton-default',
  };
}

const rests: fc.Arbitrary<unknown> = fc.oneof(
  fc.oneof(fc.double(), fc.integer(), fc.string()).map((delaySeconds) => ({ delaySeconds })),
  fc.date({ noInvalidDate: false }).map((until) => ({ until })),
  fc
    .oneof(
      fc.string(),
      fc.constant(null),
      fc.date().map((date) => date.toUTCString()),
    )
    .map((retryAfter) => ({ retryAfter })),
);
/** Values that emulators, and events written by hand, have in place of numbers. */
const attributes = fc.record(
  {
    ApproximateReceiveCount: fc.constantFrom('1', '2', '0', '', 'NaN', '-1', '1e400'),
    SentTimestamp: fc.constantFrom(String(nowMs), '', 'NaN', '9'.repeat(30)),
    ApproximateFirstReceiveTimestamp: fc.constantFrom(String(nowMs), 'x'),
  },
  { requiredKeys: [] },
);

test('SQS gets whole seconds within its limits, whatever a handler asks for and whatever a message has', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(RetryTask, PostponeTask),
      rests,
      attributes,
      async (Thrown, rest, received) => {
        const { entries } = await settled(new Thrown('later', rest as Rest), received);
        for (const { VisibilityTimeout = 0 } of entries) {
          expect(VisibilityTimeout).toEqual(expect.any(Number));
          expect(Number.isInteger(VisibilityTimeout)).toBe(true);
          expect(VisibilityTimeout).toBeGreaterThanOrEqual(0);
          expect(VisibilityTimeout).toBeLessThanOrEqual(43_200);
        }
      },
    ),
    { numRuns: randomRuns(300) },
  );
});

test.each([RetryTask, PostponeTask])(
  'the retry policy decides if a rest cannot be used, and the log says why: %p',
  async (Thrown) => {
    const { entries, line } = await settled(new Thrown('later', { delaySeconds: Number('Wed, 21 Oct') }));
    expect(entries[0]?.VisibilityTimeout).toBeGreaterThanOrEqual(30);
    expect(entries[0]?.VisibilityTimeout).toBeLessThanOrEqual(60);
    expect(line.error['unusableRest']).toBe('delaySeconds: expected a number of seconds, got NaN');
  },
);

test('the retry policy decides too if code has set an invalid rest on an error', async () => {
  const { entries } = await settled(Object.assign(new RetryTask('later'), { delaySeconds: NaN }));
  expect(entries[0]?.VisibilityTimeout).toBeGreaterThanOrEqual(30);
});

test('a request that got 429 is retried at the time that its server asks for', async () => {
  const response = new Response(null, { status: 429, headers: { 'retry-after': '20' } });
  const { entries } = await settled(
    new RetryTask('Too many requests', { retryAfter: response.headers.get('retry-after') }),
  );
  expect(entries).toMatchObject([{ VisibilityTimeout: 20 }]);
});

test('a message without its numbers counts as received now for the first time', () => {
  const { receiveCount, sentAtMs, firstReceivedAtMs } = fromRecord(recordOf({}) as never);
  expect(receiveCount).toBe(1);
  expect(Date.now() - sentAtMs).toBeLessThan(1000);
  expect(Date.now() - firstReceivedAtMs).toBeLessThan(1000);
});

test.each([
  [NaN, 0],
  [-1, 0],
  [7.5, 8],
  [Infinity, 43_200],
])('a settler that hides a message for %d s asks SQS for %d s', async (seconds, asked) => {
  const { entries, sqs } = takingAll();
  await new Settler(sqs, queueUrls, 'default').hide({ receiptHandle: 'r-1' } as never, seconds);
  expect(entries).toMatchObject([{ VisibilityTimeout: asked }]);
});

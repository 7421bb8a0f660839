import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { ping } from '../../../tests/support/ping.ts';
import { decodeEnvelope, type Envelope } from '../../sqs/envelope.ts';
import { nextTask } from '../../task/next-task.ts';
import { QueueUrls } from '../../sqs/queue-urls.ts';
import { defineTask } from '../../task/task.ts';
import { TaskClient } from '../task-client.ts';
import { startTrace } from '../../telemetry/trace-context.ts';
import { type Backends, startBackends } from '../../../tests/support/backends.ts';
import { Inbox } from 'baton-dev/testing/inbox';
import * as z from 'zod';

const echo = defineTask({
  name: 'tests.echo',
  queue: 'default',
  payload: z.object({ text: z.string() }),
  result: z.object({}),
  retry: { maxAttempts: 1, baseSeconds: 1 },
  timeoutSeconds: 1,
});

const basket = defineTask({
  ...echo,
  name: 'tests.basket',
  payload: z.object({ items: z.array(z.object({ productId: z.string() })).min(1) }),
});

let backends: Backends;
let inbox: Inbox;
let tasks: TaskClient;

beforeAll(async () => {
  backends = await startBackends(['default']);
  inbox = new Inbox(backends.sqs);
  tasks = new TaskClient({ sqs: backends.sqs, queueUrls: backends.queueUrls, source: 'tests' });
});
afterAll(() => backends.stop());

async function receive(): Promise<Envelope[]> {
  const messages = await inbox.take(backends.queueUrls.of('default'), 2);
  return messages.map(({ Body = '' }) => decodeEnvelope(Body));
}

describe('a task client', () => {
  test('sends an envelope with a uuid v7, its source and the given trace', async () => {
    const trace = startTrace();
    const { taskId } = await tasks.send(echo, { text: 'hello' }, { trace });
    const [envelope] = await receive();
    expect(envelope).toMatchObject({ taskId, task: 'tests.echo', source: 'tests', data: { text: 'hello' } });
    expect(taskId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    expect(envelope?.trace?.traceId).toBe(trace.traceId);
    expect(envelope?.trace?.spanId).not.toBe(trace.spanId);
  });

  test('sends the version of the contract, also for the next task', async () => {
    const second = defineTask({ ...echo, version: 2 });
    await tasks.send(second, { text: 'x' });
    await expect(receive()).resolves.toMatchObject([{ version: 2 }]);
    const step = nextTask({ ...second, tracked: true }, 'step-1');
    await tasks.forward(step, { text: 'x' }, { trace: startTrace(), depth: 0 });
    await expect(receive()).resolves.toMatchObject([{ taskId: 'step-1', version: 2 }]);
  });

  test("uses the caller's task id", async () => {
    await expect(tasks.send(echo, { text: 'x' }, { taskId: 'my-own:1' })).resolves.toEqual({
      taskId: 'my-own:1',
    });
    await expect(receive()).resolves.toMatchObject([{ taskId: 'my-own:1' }]);
  });

  test.each([
    ['a payload that breaks its contract', () => tasks.send(echo, { text: 7 } as never), 'text'],
    ['a task id with a space', () => tasks.send(echo, { text: 'x' }, { taskId: 'a b' }), 'task id'],
    ['a delay beyond 900 s', () => tasks.send(echo, { text: 'x' }, { delaySeconds: 901 }), 'delaySeconds'],
    ['half a second of delay', () => tasks.send(echo, { text: 'x' }, { delaySeconds: 0.5 }), 'delaySeconds'],
    ['a payload without a member', () => tasks.send(basket, {} as never), 'items'],
  ])('refuses %s, and sends nothing', async (_what, send, says) => {
    await expect(send()).rejects.toMatchObject({
      name: 'InvalidValueError',
      message: expect.stringContaining(says) as unknown as string,
    });
  });

  test.each([
    [262_144, { ...echo }],
    [1000, { ...echo, maxPayloadBytes: 1000 }],
    [500_000, { ...echo, maxPayloadBytes: 500_000 }],
  ])(
    'refuses a payload of more than %d bytes, as its contract says, without asking SQS',
    async (most, contract) => {
      const sent: string[] = [];
      const counting = clientThat(async (entries) => {
        sent.push(...entries.map((entry) => (entry as unknown as { MessageBody: string }).MessageBody));
        return { Successful: entries };
      });
      const fitting = 'x'.repeat(most - '{"text":""}'.length);
      await counting.send(contract, { text: fitting });
      await expect(counting.send(contract, { text: `${fitting}x` })).rejects.toMatchObject({
        name: 'TaskTooLargeError',
        transient: false,
        message: `tests.echo is too large: expected a payload of at most ${most} bytes (maxPayloadBytes of its contract), got ${most + 1}`,
      });
      expect(sent).toHaveLength(1);
      expect(decodeEnvelope(sent[0] ?? '', most).data).toEqual({ text: fitting });
    },
  );

  test('refuses a message beyond 1 MiB, even if its payload alone would fit', async () => {
    const large = { ...echo, maxPayloadBytes: 1_048_576 };
    await expect(tasks.send(large, { text: 'x'.repeat(1_048_500) })).rejects.toMatchObject({
      name: 'TaskTooLargeError',
      message: expect.stringContaining('as SQS allows') as unknown,
    });
  });

  test('refuses a payload with too many levels, which no worker would read', async () => {
    const any = { ...echo, name: 'tests.any', payload: z.json() };
    const nested = (levels: number): never => JSON.parse('['.repeat(levels) + ']'.repeat(levels)) as never;
    await expect(tasks.send(any, nested(990))).resolves.toMatchObject({
      taskId: expect.any(String) as unknown,
    });
    await expect(tasks.send(any, nested(1100))).rejects.toThrow(/levels/);
  });

  test('refuses a payload with too many values, which no worker would read', async () => {
    const numbers = { ...echo, name: 'tests.numbers', payload: z.array(z.int()) };
    const zeros = (count: number): number[] => Array<number>(count).fill(0);
    await expect(tasks.send(numbers, zeros(16_000))).resolves.toMatchObject({
      taskId: expect.any(String) as unknown,
    });
    await expect(tasks.send(numbers, zeros(17_000))).rejects.toThrow('at most 16384 values');
    const more = { ...numbers, maxPayloadBytes: 512 * 1024 };
    await expect(tasks.send(more, zeros(17_000))).resolves.toMatchObject({
      taskId: expect.any(String) as unknown,
    });
  });

  test('refuses a source that is not a service name', () => {
    const { sqs, queueUrls } = backends;
    expect(() => new TaskClient({ sqs, queueUrls, source: 'My Service' })).toThrow('service name');
  });

  test('joins sends of the same moment into requests, within the size that SQS accepts', async () => {
    const sizes: number[] = [];
    const counting = clientThat(async (entries) => {
      sizes.push(entries.length);
      return { Successful: entries };
    });
    await Promise.all(Array.from({ length: 25 }, () => counting.send(echo, { text: 'x' })));
    expect(sizes).toEqual([10, 10, 5]);
    sizes.length = 0;
    const large = { ...echo, maxPayloadBytes: 500_000 };
    await Promise.all(Array.from({ length: 4 }, () => counting.send(large, { text: 'x'.repeat(400_000) })));
    expect(sizes).toEqual([2, 2]);
  });

  test("reports an entry's failure only to its own caller", async () => {
    const partial = clientThat(async (entries) => ({
      Successful: entries.slice(1),
      Failed: entries
        .slice(0, 1)
        .map(({ Id }) => ({ Id, Code: 'InvalidMessageContents', SenderFault: true })),
    }));
    const results = await Promise.allSettled([1, 2, 3].map(() => partial.send(ping, {})));
    expect(results).toMatchObject([
      { status: 'rejected', reason: { name: 'SendError', transient: false } },
      { status: 'fulfilled' },
      { status: 'fulfilled' },
    ]);
  });

  test.each([
    [{ code: 'ECONNREFUSED' }, true],
    [{ name: 'TimeoutError' }, true],
    [{ $metadata: { httpStatusCode: 503 } }, true],
    [{ name: 'ThrottlingException' }, true],
    [{ name: 'QueueDoesNotExist', $metadata: { httpStatusCode: 400 } }, false],
  ])('says whether a retry may succeed if a send fails with %j', async (error, transient) => {
    const failing = clientThat(async () => {
      throw Object.assign(new Error('no'), error);
    });
    await expect(failing.send(echo, { text: 'x' })).rejects.toMatchObject({ name: 'SendError', transient });
  });
});

interface Entry {
  readonly Id: string;
}

/** A task client with a function in place of SQS. */
function clientThat(answer: (entries: Entry[]) => Promise<object>): TaskClient {
  const sqs = {
    send: ({ input }: { input: { Entries: Entry[] } }) => answer(input.Entries),
  } as unknown as SQSClient;
  return new TaskClient({ sqs, queueUrls: new QueueUrls('http://sqs/0/'), source: 'tests' });
}

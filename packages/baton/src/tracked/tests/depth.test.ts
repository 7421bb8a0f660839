import { randomUUID } from 'node:crypto';
import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { decodeEnvelope, type Envelope, MAX_DEPTH } from '../../sqs/envelope.ts';
import { chain, group, member } from '../../task/flow.ts';
import { implement, Implementations, type TaskContext } from '../../task/implementation.ts';
import { processMessage } from '../../run/process-message.ts';
import { defineTask } from '../../task/task.ts';
import { TaskClient } from '../../send/task-client.ts';
import { taskEndSchema } from '../../task/task-end.ts';
import { StoreTracker } from '../store-tracker.ts';
import { TaskStore } from '../task-store.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { type Backends, startBackends } from '../../../tests/support/backends.ts';
import * as z from 'zod';
import { receivedMessage } from '../../../tests/support/messages.ts';

const contract = {
  queue: 'default',
  payload: z.object({}),
  result: z.object({}),
  retry: { maxAttempts: 1, baseSeconds: 1 },
  timeoutSeconds: 10,
};
const join = defineTask({
  ...contract,
  name: 'tests.join',
  payload: z.array(z.object({})),
  tracked: true,
});
const again = defineTask({ ...contract, name: 'tests.again' });
const step = defineTask({ ...contract, name: 'tests.step', tracked: true });

/** Two tasks that listen to each other's ends. Each contract names the other one. */
const echo = defineTask({ ...contract, name: 'tests.echo', payload: taskEndSchema });
const echoBack = defineTask({ ...echo, name: 'tests.echo-back', tracked: true, onEnd: echo });
const echoing = defineTask({ ...echo, tracked: true, onEnd: echoBack });

const logger = createLogger({ service: 'tests', level: 'silent' });
let backends: Backends;
let store: TaskStore;
let tasks: TaskClient;

beforeAll(async () => {
  backends = await startBackends(['default']);
  const { sqs, queueUrls, documents, tasksTable } = backends;
  store = new TaskStore({ documents, table: tasksTable });
  tasks = new TaskClient({ sqs, queueUrls, source: 'tests', records: store });
});
afterAll(() => backends.stop());

const seen = new Set<string | undefined>();

/** The body of the next new message. SQS may deliver a message twice. */
async function nextBody(): Promise<string> {
  for (;;) {
    const command = new ReceiveMessageCommand({
      QueueUrl: backends.queueUrls.of('default'),
      WaitTimeSeconds: 2,
    });
    const { Messages: [message] = [] } = await backends.sqs.send(command);
    const known = message && seen.has(message.MessageId);
    seen.add(message?.MessageId);
    if (!known) return message?.Body ?? '';
  }
}

/** Runs the next message as a worker does. Returns its depth and its outcome. */
async function runNext(handler: (context: TaskContext) => unknown) {
  const body = await nextBody();
  const run = async (_payload: unknown, context: TaskContext) => (await handler(context), {});
  const outcome = await processMessage(
    receivedMessage({ body }),
    'default',
    { signal: new AbortController().signal, outlivedBy: () => undefined },
    {
      implementations: new Implementations([
        implement(again, run),
        implement(step, run),
        implement(join, run),
        implement(echoing, run),
        implement(echoBack, run),
      ]),
      send: tasks.send,
      tracker: new StoreTracker({ store, forward: tasks.forward, leaseSeconds: 30, logger }),
      logger,
      worker: { id: 'w-1', version: '1' },
      unknownTaskPatienceSeconds: 600,
      abortGraceSeconds: 1,
    },
  );
  const envelope: Envelope = decodeEnvelope(body);
  return { depth: envelope.depth ?? 0, outcome };
}

describe('tasks that send each other', () => {
  test('are counted from the first one, whose sender is not a task', async () => {
    await tasks.send(again, {});
    const depths: number[] = [];
    for (let run = 0; run < 3; run += 1) depths.push((await runNext(({ send }) => send(again, {}))).depth);
    expect(depths).toEqual([0, 1, 2]);
    await runNext(() => undefined);
  });

  test(`may be ${MAX_DEPTH} in a row, and the last one fails if it sends another`, async () => {
    await tasks.send(again, {}, { depth: MAX_DEPTH });
    const { outcome } = await runNext(({ send }) => send(again, {}));
    expect(outcome).toMatchObject({
      kind: 'dead-letter',
      error: { name: 'TooDeepError', message: expect.stringContaining(`the last of ${MAX_DEPTH} tasks`) },
    });
  });

  test.each([
    [
      'a chain',
      (depth: number, taskId: string) => tasks.start(chain([step, step, step]), {}, { depth, taskId }),
      2,
    ],
    [
      'a group',
      (depth: number, taskId: string) => tasks.start(group([member(step, {})], join), { depth, taskId }),
      1,
    ],
  ])('may start %s, but not if its last task would be too deep', async (_what, start, further) => {
    const id = randomUUID();
    const tooDeep = {
      name: 'TooDeepError',
      message: expect.stringMatching(/step 3 of 3|follows the group/) as unknown,
    };
    await expect(start(MAX_DEPTH - further + 1, id)).rejects.toMatchObject(tooDeep);
    await expect(store.find(id)).resolves.toBeUndefined();
    const handle = await start(MAX_DEPTH - further, id);
    const depths: number[] = [];
    for (let run = 0; run <= further; run += 1) depths.push((await runNext(() => undefined)).depth);
    expect(depths.at(-1)).toBe(MAX_DEPTH);
    await expect(handle.result()).resolves.toEqual({});
  });

  test('may include a deeper step from an earlier version: it runs, and its own sends fail', async () => {
    const handle = await tasks.start(chain([step, step]), {}, { depth: MAX_DEPTH - 1 });
    const deeper = { TableName: backends.tasksTable, Key: { taskId: handle.taskId } };
    const change = { UpdateExpression: 'SET #d = :d', ExpressionAttributeNames: { '#d': 'depth' } };
    await backends.documents.send(
      new UpdateCommand({ ...deeper, ...change, ExpressionAttributeValues: { ':d': MAX_DEPTH + 7 } }),
    );
    await runNext(() => undefined);
    const { depth, outcome } = await runNext(({ send }) => send(again, {}));
    expect(depth).toBe(MAX_DEPTH);
    expect(outcome).toMatchObject({ kind: 'dead-letter', error: { name: 'TooDeepError' } });
    await expect(handle.status()).resolves.toMatchObject({ state: 'dead' });
  });

  test('include the steps of a chain, which are counted too', async () => {
    await tasks.start(chain([step, step, step]), {}, { depth: 7 });
    const depths: number[] = [];
    for (let run = 0; run < 3; run += 1) depths.push((await runNext(() => undefined)).depth);
    expect(depths).toEqual([7, 8, 9]);
  });

  test('include listeners: two that listen to each other stop, and the log names both', async () => {
    const lines = jest.spyOn(logger, 'error').mockReturnValue();
    const end = { taskId: 't', task: 'tests.other', state: 'succeeded', attempts: 1, token: 1 } as const;
    const at = new Date().toISOString();
    await tasks.send(echoing, { ...end, at }, { depth: MAX_DEPTH - 2 });
    const depths: number[] = [];
    for (let run = 0; run < 3; run += 1) depths.push((await runNext(() => undefined)).depth);
    expect(depths).toEqual([MAX_DEPTH - 2, MAX_DEPTH - 1, MAX_DEPTH]);
    await tasks.send(again, {});
    // The next message is this one, so no listener was sent before it
    await expect(runNext(() => undefined)).resolves.toMatchObject({ depth: 0 });
    const [fields] = lines.mock.calls.at(-1) ?? [];
    lines.mockRestore();
    const message = expect.stringMatching(/^tests\.echo-back, .* the end of tests\.echo,/) as unknown;
    expect(fields).toMatchObject({ task: 'tests.echo', error: { name: 'TooDeepError', message } });
  });
});

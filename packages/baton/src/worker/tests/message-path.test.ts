import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type { SQSClient } from '@aws-sdk/client-sqs';
import * as z from 'zod';
import { Batcher } from '../../sqs/batcher.ts';
import { implement, Implementations } from '../../task/implementation.ts';
import { defineTask } from '../../task/task.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { OwnExecutor } from '../executor.ts';
import { ServedQueue } from '../served-queue.ts';
import { Slots } from '../slots.ts';
import { messageBody } from '../../../tests/support/messages.ts';

// ARCHITECTURE.md promises that a plain message passes few calls in few files. This test checks it by the stack.

const MAX_CALLS = 12;
const MAX_FILES = 8;
const LIBRARY = new URL('../../../', import.meta.url);

/** All functions of the library between the receive and the delete of an untracked task's message. */
const PATH = [
  'src/worker/receiver.ts: #receiveInto',
  'src/worker/queue-runner.ts: run',
  'src/worker/queue-runner.ts: #execute',
  'src/worker/executor.ts: run',
  'src/run/process-message.ts: processMessage',
  'src/run/attempt.ts: runAttempt',
  'src/run/attempt.ts: runHandler',
  'src/sqs/settler.ts: settle',
  'src/sqs/batcher.ts: add',
  'src/sqs/batcher.ts: #flush',
  'src/sqs/sqs-batch.ts: runBatch',
  'src/sqs/settler.ts: deleteBatch',
];

const stackTraceLimit = Error.stackTraceLimit;
beforeAll(() => {
  Error.stackTraceLimit = Infinity;
});
afterAll(() => {
  Error.stackTraceLimit = stackTraceLimit;
  jest.restoreAllMocks();
});

/** The functions of the library on the current stack, the first caller first. */
function callers(): string[] {
  const lines = (new Error('here').stack ?? '').split('\n').slice(1);
  return lines
    .flatMap((line) => {
      const [, name = '', path = ''] =
        /at (?:async )?(.*?) ?\(?(?:file:\/\/)?(\/[^():]+):\d+:\d+\)?$/.exec(line) ?? [];
      const file = path.startsWith(LIBRARY.pathname) ? path.slice(LIBRARY.pathname.length) : '';
      if (file === '' || !file.startsWith('src/') || file.includes('tests/')) return [];
      return [`${file}: ${name.replace(/ \[as .*$/, '').replace(/^.*\./, '')}`];
    })
    .toReversed();
}

/** The functions after this one. */
const after = (stack: readonly string[], name: string): string[] => stack.slice(stack.indexOf(name) + 1);

test(`a plain message goes from its receive to its delete in ${MAX_CALLS} calls and ${MAX_FILES} files`, async () => {
  const deleted = Promise.withResolvers<void>();
  const stacks: Record<'found' | 'handled' | 'settled' | 'deleted', string[]> = {
    found: [],
    handled: [],
    settled: [],
    deleted: [],
  };
  const contract = defineTask({
    name: 'tests.work',
    queue: 'work',
    payload: z.object({}),
    result: z.object({}),
    retry: { maxAttempts: 1, baseSeconds: 1 },
    timeoutSeconds: 10,
  });
  class WatchedImplementations extends Implementations {
    override find(name: string) {
      stacks.found = callers();
      return super.find(name);
    }
  }
  const implementations = new WatchedImplementations([
    implement(contract, async () => {
      stacks.handled = callers();
      return {};
    }),
  ]);
  const add = Object.getOwnPropertyDescriptor(Batcher.prototype, 'add')?.value as (
    ...entry: readonly unknown[]
  ) => Promise<unknown>;
  jest.spyOn(Batcher.prototype, 'add').mockImplementation(function (
    this: Batcher<unknown, unknown>,
    ...entry
  ) {
    stacks.settled = callers();
    return add.apply(this, entry);
  });
  const messages = [{ MessageId: 'm-1', ReceiptHandle: 'r-1', Body: messageBody({ task: contract.name }) }];
  const send = async ({ input }: { input: { Entries?: object[] } }) => {
    if (!input.Entries) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      return { Messages: messages.splice(0) };
    }
    stacks.deleted = callers();
    deleted.resolve();
    return { Successful: input.Entries };
  };
  const sqs = { send } as unknown as SQSClient;
  const logger = createLogger({ service: 'tests', level: 'silent' });
  const processing = {
    implementations,
    send: (async () => ({ taskId: '' })) as never,
    logger,
    worker: { id: 'w-1', version: '1' },
    unknownTaskPatienceSeconds: 600,
    abortGraceSeconds: 1,
  };
  const queue = new ServedQueue({
    queue: 'work',
    executor: new OwnExecutor('work', processing),
    slots: new Slots(10),
    queues: 1,
    config: { leaseSeconds: 30, waitSeconds: 1, workerId: 'w-1', queueUrlPrefix: 'http://sqs/0/' } as never,
    connections: { receiving: sqs, settling: sqs } as never,
    logger,
  });
  queue.start();
  await deleted.promise;
  await queue.drain();

  const { found, handled, settled } = stacks;
  const [receive = '', run = ''] = PATH;
  const process = PATH[4] ?? '';
  const path = [
    ...found.slice(found.indexOf(receive), found.indexOf(process) + 1),
    ...after(handled, process),
    ...after(settled, run),
    'src/sqs/batcher.ts: add',
    ...stacks.deleted,
  ];
  expect(path).toEqual(PATH);
  expect(PATH.length).toBeLessThanOrEqual(MAX_CALLS);
  expect(new Set(PATH.map((step) => step.split(':')[0])).size).toBeLessThanOrEqual(MAX_FILES);
});

test.each(PATH.map((step) => step.split(': ') as [string, string]))('%s declares %s', (file, name) => {
  const text = readFileSync(new URL(file, LIBRARY), 'utf8');
  expect(text).toMatch(new RegExp(`(function|const|async|readonly|^ ) ${name}\\b(\\(|: | = )`, 'm'));
});

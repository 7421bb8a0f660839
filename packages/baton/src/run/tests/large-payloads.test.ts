import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, jest, test } from '@jest/globals';
import { Room } from '../../process/room.ts';
import type { ReceivedMessage } from '../../sqs/received-message.ts';
import { implement, Implementations } from '../../task/implementation.ts';
import { defineTask, type TaskContract } from '../../task/task.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { messageBody, receivedMessage } from '../../../tests/support/messages.ts';
import type { Processing } from '../processing.ts';
import { processMessage } from '../process-message.ts';
import * as z from 'zod';

const work = defineTask({
  name: 'tests.work',
  queue: 'default',
  payload: z.object({ text: z.string() }),
  result: z.object({ length: z.int() }),
  retry: { maxAttempts: 3, baseSeconds: 60 },
  timeoutSeconds: 1,
});

type Handler = (payload: { text: string }) => unknown;

const host = { signal: new AbortController().signal, outlivedBy: () => undefined };

function processing(handler: Handler, contract: TaskContract = work): Processing {
  return {
    implementations: new Implementations([implement(contract, handler as never)]),
    send: (async () => ({ taskId: 'sent' })) as never,
    logger: createLogger({ service: 'tests', level: 'silent' }),
    worker: { id: 'w-1', version: '1' },
    unknownTaskPatienceSeconds: 600,
    abortGraceSeconds: 0.1,
  };
}

/** A message with a text of so many characters. */
function messageOf(characters: number, task = work.name): ReceivedMessage {
  return receivedMessage({ body: messageBody({ task, data: { text: 'x'.repeat(characters) } }) });
}

const run = (handler: Handler, received: ReceivedMessage, contract?: TaskContract) =>
  processMessage(received, 'default', host, processing(handler, contract));

describe('a message whose payload is larger than its contract allows', () => {
  const handler = jest.fn<Handler>(() => ({ length: 0 }));
  const small = { ...work, maxPayloadBytes: 100 };

  test.each([
    ['by a little', 5000, small],
    ['by so much that it is not read', 300_000, small],
    ['of 256 KiB, which is the default', 300_000, work],
  ])(
    'becomes a dead letter that says so, and its handler does not run: %s',
    async (_, characters, contract) => {
      const outcome = await run(handler, messageOf(characters), contract);
      expect(outcome).toMatchObject({
        kind: 'dead-letter',
        reason: 'too-large',
        error: {
          message: expect.stringMatching(
            /^The message is too large: expected a payload of at most \d+ bytes/,
          ),
        },
      });
      expect(handler).not.toHaveBeenCalled();
    },
  );

  test('with more values than its own contract allows becomes a dead letter before it is checked', async () => {
    const large = { ...work, name: 'tests.large', maxPayloadBytes: 1_000_000 };
    const body = messageBody({ task: work.name, data: { text: 'x', junk: Array<number>(20_000).fill(0) } });
    const both = new Implementations([work, large].map((each) => implement(each, handler as never)));
    const outcome = await processMessage(receivedMessage({ body }), 'default', host, {
      ...processing(handler),
      implementations: both,
    });
    expect(outcome).toMatchObject({
      kind: 'dead-letter',
      reason: 'too-large',
      error: { message: expect.stringContaining('at most 16384 values') as unknown },
    });
  });

  test('waits for a worker that knows it, if this one does not', async () => {
    await expect(run(handler, messageOf(300_000, 'tests.other'))).resolves.toMatchObject({
      kind: 'release',
      asCopy: true,
    });
  });

  test('runs if another contract of the process allows so much, and its own too', async () => {
    const large = { ...work, maxPayloadBytes: 400_000 };
    await expect(run(() => ({ length: 1 }), messageOf(300_000), large)).resolves.toMatchObject({
      kind: 'done',
    });
  });
});

describe('messages whose payloads do not fit into memory together', () => {
  test('run one after the other, and one that waits is released when its process stops', async () => {
    let running = 0;
    let most = 0;
    const busy: Handler = async () => {
      most = Math.max(most, (running += 1));
      await sleep(5);
      running -= 1;
      return { length: 0 };
    };
    const payloads = new Room(100_000);
    const all = Array.from({ length: 4 }, () =>
      processMessage(messageOf(40_000), 'default', host, { ...processing(busy), payloads }),
    );
    const stopping = new AbortController();
    const late = processMessage(
      messageOf(40_000),
      'default',
      { ...host, signal: stopping.signal },
      { ...processing(busy), payloads },
    );
    stopping.abort(new Error('The worker stops'));
    await expect(late).resolves.toMatchObject({ kind: 'release', error: { message: 'The worker stops' } });
    expect(new Set((await Promise.all(all)).map(({ kind }) => kind))).toEqual(new Set(['done']));
    expect([most, payloads.freeBytes]).toEqual([1, 100_000]);
  });
});

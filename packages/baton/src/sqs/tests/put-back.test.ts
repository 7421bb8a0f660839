import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { deadLetterEntry } from '../dead-letter.ts';
import { RejectTask } from '../../task/errors.ts';
import type { DeadLetterOutcome } from '../../task/outcome.ts';
import { attributesPutBack, putBackNotes } from '../put-back.ts';
import { QueueUrls } from '../queue-urls.ts';
import type { ReceivedMessage } from '../received-message.ts';
import { defineTask } from '../../task/task.ts';
import { TaskClient } from '../../send/task-client.ts';
import { type Handler, TrackedWork, work } from '../../tracked/tests/tracked-work.ts';
import { messageBody, receivedMessage, textAttributes } from '../../../tests/support/messages.ts';

const HOUR_MS = 3_600_000;

let tracked: TrackedWork;
beforeAll(async () => {
  tracked = await TrackedWork.start();
});
beforeEach(() => tracked.begin());
afterAll(() => tracked.stop());

const done: Handler = ({ text }) => ({ length: text.length });
const rejecting: Handler = () => {
  throw new RejectTask('no such order');
};

type Change = Partial<ReceivedMessage>;
const noted = (notes: Record<string, string>): Pick<ReceivedMessage, 'attributes'> => ({
  attributes: textAttributes(notes),
});
/** A message as the task client sends it. */
const sent = (sentAtMs = Date.now()): Change => ({ sentAtMs, ...noted({ 'baton.sent-at': '0' }) });
const bodyAlone = (sentAtMs = Date.now()): Change => ({ sentAtMs, attributes: {} });

/** Lets the handler reject the task. Returns its dead letter. */
async function dies(change: Change = sent()) {
  const outcome = (await tracked.run(rejecting, { change })) as DeadLetterOutcome;
  const body = messageBody({ taskId: tracked.taskId, task: work.name });
  const message = receivedMessage({ body, receiveCount: 17, ...noted({ 'baton.sent-at': '0' }) });
  const { MessageAttributes } = deadLetterEntry(message, { ...outcome, workerId: 'w-1', queue: 'default' });
  const details = JSON.parse(MessageAttributes['baton.details']?.StringValue ?? '') as Record<
    string,
    unknown
  >;
  return { outcome, attributes: MessageAttributes, details };
}

const stateOf = async () => (await tracked.store.find(tracked.taskId))?.state;

describe('a dead letter', () => {
  test("has the task's own count of attempts, and exactly the time at which the task ended", async () => {
    const { details } = await dies();
    const { attempts, finishedAt } = (await tracked.store.find(tracked.taskId)) ?? {};
    expect(details).toMatchObject({ attempts: 1, deadAt: finishedAt });
    expect(attempts).toBe(1);
    const again = (await tracked.run(done, { change: sent() })) as DeadLetterOutcome;
    expect(again).toMatchObject({ kind: 'dead-letter', end: { attempts: 1, at: finishedAt } });
  });

  test.each<[string, (attributes: ReceivedMessage['attributes']) => Change]>([
    ['with its attributes', (attributes) => ({ attributes })],
    ['by its body alone', () => bodyAlone()],
    ['by its body alone, while clocks differ by a second', () => bodyAlone(Date.now() - 1000)],
    [
      'with its attributes, and continues in a copy,',
      (attributes) => noted(putBackNotes(receivedMessage({ attributes }))),
    ],
    ['by its body alone, and continues in a copy,', () => noted(putBackNotes(receivedMessage()))],
  ])('that is put back %s starts its task again, and the row counts one death', async (_what, change) => {
    const { attributes } = await dies();
    const { finishedAt } = (await tracked.store.find(tracked.taskId)) ?? {};
    let attempt = 0;
    const handler: Handler = (_payload, context) => {
      ({ attempt } = context);
      return { length: 4 };
    };
    await expect(tracked.run(handler, { change: change(attributes) })).resolves.toMatchObject({
      kind: 'done',
    });
    await expect(tracked.store.find(tracked.taskId)).resolves.toMatchObject({
      state: 'succeeded',
      attempts: 1,
      deaths: 1,
      lastDeath: { at: finishedAt, name: 'RejectTask', message: 'no such order', reason: 'rejected' },
    });
    expect(attempt).toBe(1);
  });

  test('that is put back tells its task when, and who did it, also by a copy', async () => {
    const ways: ((attributes: ReceivedMessage['attributes']) => Change)[] = [
      (attributes) => ({ attributes }),
      (attributes) => noted(putBackNotes(receivedMessage({ attributes }))),
    ];
    for (const way of ways) {
      tracked.begin();
      const { attributes } = await dies();
      await tracked.run(done, { change: way(attributesPutBack(attributes, 'o. hara')) });
      const { putBack, startedAt } = (await tracked.store.find(tracked.taskId)) ?? {};
      expect(putBack).toEqual({ at: expect.any(String) as unknown, by: 'o. hara' });
      expect(Date.parse(putBack?.at ?? '')).toBeGreaterThanOrEqual(Date.parse(startedAt ?? ''));
    }
  });

  test('that is put back again without a name does not show the one before', async () => {
    const first = await dies();
    const again = attributesPutBack(first.attributes, 'o. hara');
    await tracked.run(rejecting, { change: { attributes: again } });
    await tracked.run(done, { change: bodyAlone(Date.now() + 5000) });
    const { deaths, putBack } = (await tracked.store.find(tracked.taskId)) ?? {};
    expect([deaths, putBack]).toEqual([2, undefined]);
  });

  test('with a name that no tool writes is put back without it', async () => {
    const { attributes } = await dies();
    const forged = { ...attributes, ...textAttributes({ 'baton.put-back-by': 'n'.repeat(101) }) };
    await tracked.run(done, { change: { attributes: forged } });
    const { state, putBack } = (await tracked.store.find(tracked.taskId)) ?? {};
    expect([state, putBack]).toEqual(['succeeded', undefined]);
  });

  test('that is put back starts its task again only once, however often SQS delivers the message', async () => {
    for (const way of ['letter', 'body']) {
      tracked.begin();
      const { attributes } = await dies();
      const change = way === 'letter' ? { attributes, sentAtMs: Date.now() } : bodyAlone();
      await tracked.run(rejecting, { change });
      const never = jest.fn<Handler>();
      await expect(tracked.run(never, { change })).resolves.toMatchObject({ kind: 'dead-letter' });
      const copy = noted(putBackNotes(receivedMessage(change)));
      await expect(tracked.run(never, { change: copy })).resolves.toMatchObject({ kind: 'dead-letter' });
      expect(never).not.toHaveBeenCalled();
      await expect(tracked.store.find(tracked.taskId)).resolves.toMatchObject({ state: 'failed', deaths: 1 });
    }
  });

  test('that is put back starts its task again, even if the answer to the claim was lost', async () => {
    await dies();
    const { documents } = tracked.backends;
    const send = documents.send.bind(documents) as (command: { input: object }) => Promise<object>;
    const lossy = jest.spyOn(documents, 'send').mockImplementation((async (command: { input: object }) => {
      const revives = JSON.stringify(command.input).includes('deaths = ');
      // The SDK retries the write, and returns the answer to the retry
      if (revives) await send(command);
      return send(command);
    }) as never);
    const outcome = await tracked.run(done, { change: bodyAlone() }).finally(() => lossy.mockRestore());
    expect(outcome).toMatchObject({ kind: 'done' });
    await expect(stateOf()).resolves.toBe('succeeded');
  });
});

describe('a late message', () => {
  test.each<[string, () => Change]>([
    ['a second message of the same send, which SQS accepted after the end', () => sent(Date.now() + 60_000)],
    ['a message of another sender, which SQS accepted before the end', () => bodyAlone(Date.now() - 10_000)],
    [
      'a copy of a message that was sent before the end',
      () => noted(putBackNotes(receivedMessage({ sentAtMs: Date.now() - 10_000 }))),
    ],
    ['a message whose note is not a time', () => noted({ 'baton.sent-at': '1e30' })],
    [
      'a message of EventBridge Scheduler, which may be late',
      () => ({ ...bodyAlone(), body: bodyOf('scheduler') }),
    ],
  ])('does not start a dead task again: %s', async (_what, change) => {
    await dies();
    const never = jest.fn<Handler>();
    await expect(tracked.run(never, { change: change() })).resolves.toMatchObject({
      kind: 'dead-letter',
      reason: 'rejected',
    });
    expect(never).not.toHaveBeenCalled();
    await expect(stateOf()).resolves.toBe('failed');
  });

  test('does not start a dead task again: a repeated message of a sender other than Baton', async () => {
    const message = bodyAlone();
    await dies(message);
    const never = jest.fn<Handler>();
    await expect(tracked.run(never, { change: message })).resolves.toMatchObject({ kind: 'dead-letter' });
    expect(never).not.toHaveBeenCalled();
  });

  test('does not start a succeeded or cancelled task again, even if it is sent by hand', async () => {
    await tracked.run(done, { change: sent() });
    const never = jest.fn<Handler>();
    const byHand = bodyAlone(Date.now() + HOUR_MS);
    await expect(tracked.run(never, { change: byHand })).resolves.toMatchObject({ kind: 'done' });
    tracked.begin();
    await tracked.store.create({ taskId: tracked.taskId, task: work.name, queue: work.queue });
    await tracked.store.cancel(tracked.taskId);
    await expect(tracked.run(never, { change: byHand })).resolves.toMatchObject({ kind: 'done' });
    expect(never).not.toHaveBeenCalled();
  });
});

test('each message that a task client sends for a tracked task counts as sent before any end', async () => {
  const notes: unknown[] = [];
  const send = async ({ input: { Entries } }: { input: { Entries: { MessageAttributes?: object }[] } }) => {
    notes.push(...Entries.map(({ MessageAttributes }) => MessageAttributes));
    return { Successful: Entries };
  };
  const queueUrls = new QueueUrls('http://sqs/0/');
  const records = tracked.store;
  const tasks = new TaskClient({ sqs: { send } as never, queueUrls, source: 'tests', records });
  await tasks.send(work, { text: 'x' });
  const next = { taskId: 'next', task: work.name, queue: work.queue };
  await tasks.forward(next, {}, { trace: undefined });
  await tasks.send(defineTask({ ...work, name: 'tests.plain', tracked: false }), { text: 'x' });
  // A message of the maximum size has no space for it
  const large = defineTask({ ...work, name: 'tests.large', maxPayloadBytes: 1_048_576 });
  await tasks.send(large, { text: 'x'.repeat(1_048_576 - 400) });
  const first = { 'baton.sent-at': { DataType: 'String', StringValue: '0' } };
  expect(notes).toEqual([first, first, undefined, expect.anything()]);
});

function bodyOf(source: string): string {
  return messageBody({ taskId: tracked.taskId, task: work.name, source, data: { text: 'four' } });
}

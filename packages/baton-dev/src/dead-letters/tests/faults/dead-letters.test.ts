import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import {
  CreateQueueCommand,
  DeleteQueueCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageCommand,
} from '@aws-sdk/client-sqs';
import { deadLetterEntry, type DeadLetterReason, encodeEnvelope } from 'baton-tasks/tooling';
import { type Backends, startBackends } from '../../../testing/backends.ts';
import { countMessages } from '../../../testing/message-counts.ts';
import { Program } from '../../../testing/program.ts';
import { ROOT } from '../../../stack/root.ts';

const own = { DataType: 'String', StringValue: 'kept' };

let backends: Backends;
/** The queue of each test, which has lanes. */
let queue: string;

beforeAll(async () => {
  backends = await startBackends(['worker']);
});
afterAll(() => backends.stop());
beforeEach(async () => {
  queue = `q-${randomUUID().slice(0, 8)}`;
  for (const name of [queue, `${queue}_high`, `${queue}-dlq`])
    await backends.sqs.send(new CreateQueueCommand({ QueueName: `baton-${backends.stage}-${name}` }));
});

interface Set {
  readonly reason?: DeadLetterReason;
  readonly taskId?: string;
  readonly lane?: string;
  readonly body?: string;
  readonly filler?: string;
  readonly end?: string;
}

function envelopeOf(taskId: string, filler?: string) {
  const time = '2026-11-27T10:00:00.000Z';
  return { taskId, task: 'orders.process', source: 'tests', time, trace: undefined, data: { filler } };
}

/** Sends a dead letter as a worker does. */
async function setAside({
  reason = 'rejected',
  taskId = randomUUID(),
  lane,
  body,
  filler,
  end = '2026-11-29T10:00:00.000Z',
}: Set = {}) {
  const message = {
    messageId: 'm-1',
    receiptHandle: 'r-1',
    body: body ?? encodeEnvelope(envelopeOf(taskId, filler)),
    receiveCount: 9,
    sentAtMs: Date.now(),
    firstReceivedAtMs: Date.now(),
    attributes: { own },
  };
  const entry = deadLetterEntry(message, {
    reason,
    error: new RangeError('no such order'),
    end: { attempts: 3, at: end },
    workerId: 'w-1',
    queue: lane === undefined ? queue : `${queue}_${lane}`,
  });
  await backends.sqs.send(new SendMessageCommand({ QueueUrl: urlOf(`${queue}-dlq`), ...entry }));
  return { taskId, ...entry };
}

const urlOf = (name: string): string => backends.queueUrls.of(name);

interface Ran {
  readonly status: number | null;
  readonly letters: Record<string, unknown>[];
  readonly output: string;
}

async function run(...args: string[]): Promise<Ran> {
  return runWith({}, ...args);
}

async function runWith(environment: Record<string, string>, ...args: string[]): Promise<Ran> {
  const all = { ...backends.environment, ...environment };
  const program = new Program('packages/baton-dev/src/dead-letters/main.ts', all, args);
  const status = await program.ended();
  return { status, letters: program.lines, output: program.output };
}

/** Receives and deletes all messages of a queue. */
async function taken(name: string): Promise<Message[]> {
  const { Messages = [] } = await backends.sqs.send(
    new ReceiveMessageCommand({
      QueueUrl: urlOf(name),
      MaxNumberOfMessages: 10,
      VisibilityTimeout: 600,
      MessageAttributeNames: ['All'],
    }),
  );
  return Messages.length === 0 ? [] : [...Messages, ...(await taken(name))];
}

const visible = async (name: string) => (await countMessages(backends, urlOf(name))).visible;

describe('npm run dead-letters', () => {
  test('lists the reason of each dead letter, and leaves all of them visible', async () => {
    const { taskId } = await setAside();
    await setAside({ body: 'no task at all', reason: 'malformed' });
    await backends.sqs.send(
      new SendMessageCommand({ QueueUrl: urlOf(`${queue}-dlq`), MessageBody: 'moved by SQS itself' }),
    );
    const { status, letters, output } = await run(queue);
    expect(status).toBe(0);
    expect(letters).toHaveLength(3);
    expect(letters).toContainEqual(
      expect.objectContaining({
        task: 'orders.process',
        taskId,
        reason: 'rejected',
        error: 'RangeError: no such order',
        attempts: 3,
        deadAt: '2026-11-29T10:00:00.000Z',
      }),
    );
    expect(new Set(letters.map(({ reason }) => reason))).toEqual(new Set(['malformed', 'none', 'rejected']));
    expect(output).toContain(`3 dead letters of ${queue}; --put-back sends them again`);
    await expect(visible(`${queue}-dlq`)).resolves.toBe(3);
    await expect(taken(queue)).resolves.toEqual([]);
  });

  test('redrives each dead letter unchanged, with its attributes and who did it, to its queue or lane', async () => {
    const letters = [await setAside(), await setAside({ lane: 'high' }), await setAside({ body: 'no task' })];
    const { status, letters: lines, output } = await run(queue, '--put-back', '--by', 'tester');
    expect([status, lines.map(({ became }) => became)]).toEqual([0, ['back', 'back', 'back']]);
    expect(output).toContain(`3 dead letters of ${queue} put back`);
    const back = [await taken(queue), await taken(`${queue}_high`)].map((messages) =>
      messages.map(({ Body, MessageAttributes }) => ({ MessageBody: Body, MessageAttributes })),
    );
    const expected = letters.map(({ MessageBody, MessageAttributes }) => ({
      MessageBody,
      MessageAttributes: {
        ...MessageAttributes,
        'baton.put-back-by': { DataType: 'String', StringValue: 'tester' },
      },
    }));
    expect(back[1]).toEqual([expected[1]]);
    expect(back[0]?.length).toBe(2);
    expect(back[0]).toEqual(expect.arrayContaining([expected[0], expected[2]]));
    await expect(countMessages(backends, urlOf(`${queue}-dlq`))).resolves.toEqual({ visible: 0, hidden: 0 });
  });

  test('redrives a task once, even if it becomes a dead letter again before the end', async () => {
    for (let again = 0; again < 3; again += 1) await setAside({ taskId: 'again' });
    const { status, letters, output } = await run(queue, '--put-back');
    expect([status, letters.map(({ taskId, became }) => [taskId, became])]).toEqual([0, [['again', 'back']]]);
    await expect(visible(queue)).resolves.toBe(1);
    await expect(visible(`${queue}-dlq`)).resolves.toBe(2);
    expect(output).toContain(`1 dead letter of ${queue} put back; 2 left`);
  });

  test('redrives a task although forged letters with its id came before', async () => {
    const forged = encodeEnvelope({ ...envelopeOf('real'), data: { filler: 'forged' } });
    const [body, end] = [encodeEnvelope(envelopeOf('real')), '2026-11-29T10:00:00.000Z'];
    await setAside({ reason: 'mismatch', body: forged });
    await setAside({ body, lane: 'high' });
    await setAside({ body, end: '2026-11-28T10:00:00.000Z' });
    await backends.sqs.send(new SendMessageCommand({ QueueUrl: urlOf(`${queue}-dlq`), MessageBody: body }));
    for (let again = 0; again < 2; again += 1) await setAside({ body, end });
    const { status, output } = await run(queue, '--put-back');
    expect(status).toBe(0);
    expect(output).toContain(`5 dead letters of ${queue} put back; 1 left`);
    const back = (await taken(queue)).map(({ Body, MessageAttributes }) => ({
      body: Body,
      details: MessageAttributes?.['baton.details']?.StringValue,
    }));
    expect(back).toContainEqual({ body, details: expect.stringContaining(`"deadAt":"${end}"`) });
  });

  test('redrives messages that are no tasks, even with equal bodies', async () => {
    for (let letter = 0; letter < 3; letter += 1) await setAside({ body: 'no task' });
    const { status, letters } = await run(queue, '--put-back');
    expect([status, letters.length]).toEqual([0, 3]);
    await expect(visible(queue)).resolves.toBe(3);
  });

  test.each([
    ['lists for a reader that stops after the first line', '', '| head -1', 0, 0, 30],
    ['redrives all even if nobody reads the output', '--put-back', '| true', 0, 30, 0],
    ['reports a full disk while listing', '', '> /dev/full', 1, 0, 30],
    ['redrives all even if the disk is full, and reports it', '--put-back', '> /dev/full', 1, 30, 0],
  ])('%s', async (_what, option, where, status, back, left) => {
    for (let letter = 0; letter < 30; letter += 1) await setAside();
    const command = `set -o pipefail; "$0" packages/baton-dev/src/dead-letters/main.ts ${queue} ${option} ${where}`;
    const env = { PATH: process.env['PATH'], ...backends.environment };
    const shell = spawn('bash', ['-c', command, process.execPath], { cwd: ROOT, env });
    const [stderr, [ended]] = await Promise.all([text(shell.stderr), once(shell, 'exit')]);
    expect([ended, stderr.includes('ENOSPC')]).toEqual([status, status === 1]);
    expect(stderr).not.toMatch(/^ +at /m);
    await expect(Promise.all([visible(queue), visible(`${queue}-dlq`)])).resolves.toEqual([back, left]);
  });

  test('redrives more messages and more bytes than one request may have', async () => {
    const filler = 'x'.repeat(300_000);
    const ids = [...Array(12).keys()].map((index) => `small-${index}`);
    for (const taskId of ids) await setAside({ taskId });
    for (const taskId of ['large-1', 'large-2', 'large-3', 'large-4']) await setAside({ taskId, filler });
    const { status, letters } = await run(queue, '--put-back');
    expect([status, letters.length]).toEqual([0, 16]);
    expect(new Set((await taken(queue)).map(({ Body }) => Body)).size).toBe(16);
  });

  test.each([
    ['lists', [], 0, 90],
    ['redrives', ['--put-back'], 90, 0],
  ])('%s more bytes than its memory holds', async (_what, options, back, left) => {
    const filler = 'x'.repeat(1_000_000);
    for (let letter = 0; letter < 90; letter += 1) await setAside({ filler });
    const heap = { NODE_OPTIONS: '--max-old-space-size=80' };
    const { status, letters } = await runWith(heap, queue, ...options);
    expect([status, letters.length]).toEqual([0, 90]);
    await expect(Promise.all([visible(queue), visible(`${queue}-dlq`)])).resolves.toEqual([back, left]);
  });

  test('selects the dead letters of a task, of a reason, or a number of them', async () => {
    const { taskId } = await setAside();
    for (let letter = 0; letter < 3; letter += 1) await setAside({ reason: 'timed-out' });
    expect((await run(queue, '--task', taskId)).letters).toMatchObject([{ taskId }]);
    expect((await run(queue, '--reason', 'timed-out')).letters).toHaveLength(3);
    const limited = await run(queue, '--reason', 'timed-out', '--limit', '2', '--put-back');
    expect(limited.letters).toHaveLength(2);
    expect(limited.output).toContain('the first 2: there may be more');
    await expect(visible(`${queue}-dlq`)).resolves.toBe(2);
    expect((await run(queue, '--task', 'nobody', '--put-back')).letters).toEqual([]);
    await expect(visible(`${queue}-dlq`)).resolves.toBe(2);
  });

  test('keeps dead letters that it cannot send, and says why', async () => {
    const { taskId } = await setAside();
    await backends.sqs.send(new DeleteQueueCommand({ QueueUrl: urlOf(queue) }));
    const { status, letters, output } = await run(queue, '--put-back');
    expect([status, letters.map(({ became }) => became)]).toEqual([1, ['kept']]);
    expect(output).toMatch(new RegExp(`${taskId} was not put back and is still a dead letter: .+`));
    expect(output).toContain(`0 dead letters of ${queue} put back`);
    expect(output).not.toMatch(/^ +at /m);
    await expect(visible(`${queue}-dlq`)).resolves.toBe(1);
  });

  test('finds the queues of a stage by name', async () => {
    const { taskId } = await setAside();
    const { letters } = await run(queue, '--stage', backends.stage, '--put-back');
    expect(letters).toMatchObject([{ taskId, became: 'back' }]);
    await expect(taken(queue)).resolves.toHaveLength(1);
  });

  test.each([
    ['no queue', [], 2, 'Expected the name of one queue, such as payments, got none'],
    ['two queues', ['orders', 'default'], 2, 'got orders default'],
    ['an option that there is not', ['orders', '--all'], 2, '--all'],
    ['a limit that is none', ['orders', '--limit', '0'], 2, '--limit: expected a whole number from 1 to'],
    ['a prefix that is none', ['orders', '--prefix', 'orders'], 2, '--prefix: expected a URL'],
    ['a queue that is not there', ['nothing', '--stage', 'nowhere'], 1, 'QueueDoesNotExist'],
  ])('reports what is wrong with %s', async (_what, args, status, says) => {
    const ran = await run(...args);
    expect(ran.status).toBe(status);
    expect(ran.output).toContain(says);
    expect(ran.output).not.toMatch(/^ +at /m);
  });
});

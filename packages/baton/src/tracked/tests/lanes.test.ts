import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { decodeEnvelope } from '../../sqs/envelope.ts';
import { chain, group, member } from '../../task/flow.ts';
import { implement, Implementations } from '../../task/implementation.ts';
import { QueueUrls } from '../../sqs/queue-urls.ts';
import { defineTask, type TaskContract } from '../../task/task.ts';
import { TaskClient } from '../../send/task-client.ts';
import { TaskHistory } from '../task-history.ts';
import { TaskStore } from '../task-store.ts';
import { startTrace } from '../../telemetry/trace-context.ts';
import { type Backends, startBackends } from '../../../tests/support/backends.ts';
import * as z from 'zod';

const text = z.object({ text: z.string() });
const plain = {
  name: 'parcels.weigh',
  queue: 'parcels',
  payload: text,
  result: text,
  retry: { maxAttempts: 3, baseSeconds: 1 },
  timeoutSeconds: 5,
} as const;
const lanes = { high: 8, normal: 3, low: 1 };
const weigh = defineTask({ ...plain, lanes, defaultLane: 'normal' });
const seal = defineTask({ ...plain, name: 'parcels.seal', tracked: true, lanes, defaultLane: 'normal' });
const label = defineTask({ ...plain, name: 'labels.print', queue: 'labels', tracked: true });
const ship = defineTask({
  ...plain,
  name: 'ships.load',
  queue: 'ships',
  tracked: true,
  payload: z.array(text),
  lanes: { high: 2, slow: 1 },
  defaultLane: 'slow',
});

const queueUrls = new QueueUrls('http://sqs/0/');
let backends: Backends;
let store: TaskStore;
let tasks: TaskClient;
/** The task name and the queue URL of each message that SQS has accepted. */
let taken: string[];

beforeAll(async () => {
  backends = await startBackends([]);
});
afterAll(() => backends.stop());
beforeEach(() => {
  taken = [];
  store = new TaskStore({ documents: backends.documents, table: backends.tasksTable });
  interface Batch {
    readonly input: {
      readonly QueueUrl: string;
      readonly Entries: readonly { readonly MessageBody: string }[];
    };
  }
  const send = async ({ input: { QueueUrl, Entries } }: Batch): Promise<object> => {
    taken.push(...Entries.map(({ MessageBody }) => `${decodeEnvelope(MessageBody).task} ${QueueUrl}`));
    return { Successful: Entries };
  };
  tasks = new TaskClient({
    sqs: { send } as unknown as SQSClient,
    queueUrls,
    source: 'tests',
    records: store,
  });
});

describe('a task', () => {
  test.each([
    ['without a lane', {}, 'parcels'],
    ['in the default lane', { lane: 'normal' }, 'parcels'],
    ['in another lane', { lane: 'high' }, 'parcels_high'],
  ] as const)('sent %s is in the queue of its lane', async (_what, options, queue) => {
    await tasks.send(weigh, { text: 'x' }, options);
    expect(taken).toEqual([`parcels.weigh http://sqs/0/${queue}`]);
  });

  test('for a lane that its contract does not have is refused, and not sent', async () => {
    const wrong = { lane: 'urgent' } as never;
    await expect(tasks.send(weigh, { text: 'x' }, wrong)).rejects.toMatchObject({
      name: 'InvalidValueError',
      message: 'Invalid lane: lane: expected one of high, normal, low, got "urgent"',
    });
    const noLane = { lane: 'toString' } as never;
    await expect(tasks.send(weigh, { text: 'x' }, noLane)).rejects.toThrow('expected one of');
    await expect(tasks.send(label, { text: 'x' }, wrong)).rejects.toThrow('labels.print has no lanes');
    await expect(tasks.start(chain([label, label]), { text: 'x' }, wrong)).rejects.toThrow(
      'none of the tasks has lanes, got "urgent"',
    );
    expect(taken).toEqual([]);
  });

  test('that is tracked shows its lane in the task store and in lists, except the default lane', async () => {
    const { taskId } = await tasks.send(seal, { text: 'x' }, { lane: 'low' });
    await expect(store.find(taskId)).resolves.toMatchObject({ queue: 'parcels', lane: 'low' });
    const history = new TaskHistory(backends.documents, backends.tasksTable);
    const { tasks: listed } = await history.list({ name: seal.name, limit: 1 });
    expect(listed).toMatchObject([{ taskId, queue: 'parcels', lane: 'low' }]);
    const other = await tasks.send(seal, { text: 'x' });
    const { lane } = (await store.find(other.taskId)) ?? {};
    expect(lane).toBeUndefined();
  });

  test('has the same dead-letter queue in each lane', () => {
    expect(['parcels', 'parcels_high', 'parcels_low'].map((queue) => queueUrls.deadLettersOf(queue))).toEqual(
      Array.from({ length: 3 }, () => 'http://sqs/0/parcels-dlq'),
    );
  });
});

describe('a flow that is started in a lane', () => {
  test('has each step in that lane if the contract of the step has it', async () => {
    const { taskId } = await tasks.start(chain([label, seal]), { text: 'x' }, { lane: 'high' });
    expect(taken).toEqual(['labels.print http://sqs/0/labels']);
    const last = await store.read(taskId);
    expect(last?.queue).toBe('parcels_high');
    const first = await store.readAll(last ? [last.taskId] : []);
    expect(first).toHaveLength(1);
  });

  test('has each member in that lane, and also the task that takes their results', async () => {
    const parcel = group([member(seal, { text: 'x' }), member(label, { text: 'y' })], ship);
    const { taskId } = await tasks.start(parcel, { lane: 'high' });
    expect(taken.toSorted()).toEqual([
      'labels.print http://sqs/0/labels',
      'parcels.seal http://sqs/0/parcels_high',
    ]);
    await expect(store.read(taskId)).resolves.toMatchObject({ queue: 'ships_high' });
  });

  test('continues in the lane of the next step', async () => {
    const next = { taskId: 'step-2', task: seal.name, queue: 'parcels_low' };
    await tasks.forward(next, { text: 'x' }, { trace: startTrace(), depth: 1 });
    expect(taken).toEqual(['parcels.seal http://sqs/0/parcels_low']);
  });
});

describe('a contract', () => {
  test.each<[string, Partial<TaskContract>, string]>([
    ['only one lane', { lanes: { high: 1 }, defaultLane: 'high' }, 'expected 2 to 8 lanes'],
    ['no default lane', { lanes }, 'expected one of the lanes high, normal, low'],
    [
      'a default lane that it does not have',
      { lanes, defaultLane: 'medium' },
      'expected one of the lanes high',
    ],
    ['a default lane without lanes', { defaultLane: 'high' }, 'expected lanes beside it'],
    ['a weight of 0', { lanes: { a: 0, b: 1 }, defaultLane: 'b' }, 'expected a whole weight from 1 to 100'],
    ['half a weight', { lanes: { a: 1.5, b: 1 }, defaultLane: 'b' }, 'expected a whole weight'],
    [
      'a weight beyond 100',
      { lanes: { a: 101, b: 1 }, defaultLane: 'b' },
      'expected a whole weight from 1 to 100',
    ],
    [
      'a lane whose name cannot be part of a queue name',
      { lanes: { a_b: 1, b: 1 }, defaultLane: 'b' },
      'lower-case',
    ],
    [
      'a queue and a lane that are too long together',
      { queue: 'q'.repeat(60), lanes: { high: 2, normal: 1 }, defaultLane: 'normal' },
      'expected at most 64 characters of queue and lane together',
    ],
  ])('with %s is refused when it is defined', (_what, wrong, says) => {
    const define = (): unknown => defineTask({ ...plain, ...wrong });
    expect(define).toThrow(says);
    expect(define).toThrow('Invalid contract "parcels.weigh"');
  });

  test('that shares a queue must have the same lanes as the other contracts of the queue', () => {
    const run = ({ text: given }: z.output<typeof text>) => ({ text: given });
    const others = [
      { ...plain, name: 'parcels.count' },
      { ...weigh, name: 'parcels.count' },
    ];
    for (const other of others)
      expect(
        new Implementations([implement(weigh, run), implement(defineTask(other), run)]).lanes.get('parcels'),
      ).toEqual({ weights: lanes, defaultLane: 'normal' });
    const different = [{ lanes: { high: 9, normal: 3, low: 1 } }, { defaultLane: 'high' }];
    for (const change of different) {
      const wrong = defineTask({ ...weigh, name: 'parcels.count', ...change } as typeof weigh);
      expect(() => new Implementations([implement(weigh, run), implement(wrong, run)])).toThrow(
        'The contracts parcels.weigh and parcels.count share the queue parcels, so their lanes must be the same',
      );
    }
  });
});

test('the compiler knows the lanes of a contract', () => {
  const sends = () => [
    () => tasks.send(weigh, { text: 'x' }, { lane: 'high' }),
    // @ts-expect-error the contract has no lane with this name
    () => tasks.send(weigh, { text: 'x' }, { lane: 'urgent' }),
    // @ts-expect-error the contract has no lanes
    () => tasks.send(label, { text: 'x' }, { lane: 'high' }),
    // @ts-expect-error the default lane must be one of the lanes
    () => defineTask({ ...plain, lanes: { high: 2, normal: 1 }, defaultLane: 'low' }),
    () => tasks.start(chain([label, seal]), { text: 'x' }, { lane: 'low' }),
    // @ts-expect-error no step has this lane
    () => tasks.start(chain([label, seal]), { text: 'x' }, { lane: 'slow' }),
    () => tasks.start(group([member(seal, { text: 'x' })], ship), { lane: 'slow' }),
    // @ts-expect-error no task of the group has this lane
    () => tasks.start(group([member(seal, { text: 'x' })], ship), { lane: 'urgent' }),
  ];
  expect(sends).toBeDefined();
});

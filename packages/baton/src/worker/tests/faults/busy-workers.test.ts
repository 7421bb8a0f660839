import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type ReceiveMessageCommandInput, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { implement, Implementations } from '../../../task/implementation.ts';
import { defineTask } from '../../../task/task.ts';
import { TaskClient } from '../../../send/task-client.ts';
import { createLogger } from '../../../telemetry/logger.ts';
import { type Backends, startBackends } from '../../../../tests/support/backends.ts';
import { eventually } from 'baton-dev/testing/eventually';
import { countMessages } from 'baton-dev/testing/message-counts';
import * as z from 'zod';
import { readWorkerConfig } from '../../config.ts';
import { connect } from '../../connections.ts';
import { Worker } from '../../worker.ts';

const WAIT_SECONDS = 3;
const SHORT_TASKS = 20;

const rest = { result: z.object({}), retry: { maxAttempts: 3, baseSeconds: 1 }, timeoutSeconds: 120 };
/** Holds its slot until the test ends it. */
const long = defineTask({ name: 'tests.long', queue: 'default', payload: z.object({}), ...rest });
const short = defineTask({
  name: 'tests.short',
  queue: 'reports',
  payload: z.object({ number: z.int() }),
  ...rest,
});

interface Start {
  readonly number: number;
  readonly worker: string;
  readonly attempt: number;
  readonly atMs: number;
}

const logger = createLogger({ service: 'tests', level: 'silent' });
let backends: Backends;
let tasks: TaskClient;
let letGo: () => void;
let held: Promise<void>;
let starts: Start[];
let holding: string[];
let receives: { readonly worker: string; readonly input: ReceiveMessageCommandInput }[];
let workers: Worker[];
/** The environment before the test. The test adds the endpoints of the emulators for the workers' clients. */
let outer: NodeJS.ProcessEnv;

beforeEach(async () => {
  backends = await startBackends(['default', 'reports']);
  tasks = new TaskClient({ sqs: backends.sqs, queueUrls: backends.queueUrls, source: 'tests' });
  ({ promise: held, resolve: letGo } = Promise.withResolvers<void>());
  [starts, holding, receives, workers] = [[], [], [], []];
  outer = { ...process.env };
  Object.assign(process.env, backends.environment);
});
afterEach(async () => {
  letGo();
  await Promise.all(workers.map((worker) => worker.stop()));
  for (const name of Object.keys(backends.environment)) delete process.env[name];
  Object.assign(process.env, outer);
  await backends.stop();
});

const receivesOf = (worker: string, queue: string) =>
  receives.filter((each) => each.worker === worker && each.input.QueueUrl === backends.queueUrls.of(queue));

/** Starts a worker with one slot, and waits until it polls each of its queues. */
async function startWorker(name: string): Promise<void> {
  const config = readWorkerConfig({
    ...backends.environment,
    WORKER_ID: name,
    WORKER_QUEUES: 'default,reports',
    WORKER_CONCURRENCY: '1',
    WORKER_WAIT_SECONDS: String(WAIT_SECONDS),
  });
  const connections = connect(config);
  const send = connections.receiving.send.bind(connections.receiving) as (
    ...args: unknown[]
  ) => Promise<unknown>;
  connections.receiving.send = (async (command: unknown, ...others: unknown[]) => {
    if (command instanceof ReceiveMessageCommand) receives.push({ worker: name, input: command.input });
    return send(command, ...others);
  }) as typeof connections.receiving.send;
  const implementations = new Implementations([
    implement(long, async () => {
      holding.push(name);
      await held;
      return {};
    }),
    implement(short, async ({ number }, { attempt }) => {
      starts.push({ number, worker: name, attempt, atMs: performance.now() });
      return {};
    }),
  ]);
  const worker = new Worker({ config, implementations, logger, connections });
  workers.push(worker);
  worker.start();
  await eventually('a long poll of each queue', () =>
    ['default', 'reports'].every((queue) =>
      receivesOf(name, queue).some(({ input }) => Number(input.WaitTimeSeconds) > 0),
    ),
  );
}

describe('a worker whose slot is held by a long task', () => {
  test('gives messages of another queue back to an idle worker within two seconds, without an attempt', async () => {
    await startWorker('busy');
    await tasks.send(long, {});
    await eventually('the long task', () => holding.length === 1);
    const sentAtMs = performance.now();
    await tasks.send(short, { number: 0 });
    await startWorker('idle');
    await eventually('the short task', () => starts.length === 1, 4000);
    expect(starts[0]).toMatchObject({ number: 0, worker: 'idle', attempt: 1 });
    expect(starts[0]?.atMs).toBeLessThan(sentAtMs + 2000);
    // It has given one message back, and receives no more without a slot
    const asked = receivesOf('busy', 'reports').length;
    await Promise.all(
      Array.from({ length: SHORT_TASKS }, (_, index) => tasks.send(short, { number: index + 1 })),
    );
    await eventually('all short tasks', () => starts.length === SHORT_TASKS + 1, 4000);
    expect(starts.filter(({ worker, attempt }) => worker !== 'idle' || attempt !== 1)).toEqual([]);
    expect(receivesOf('busy', 'reports').length).toBeLessThanOrEqual(Math.max(asked, 4));
  });

  test('runs them itself once it has a slot, if no worker is idle', async () => {
    await startWorker('busy');
    await tasks.send(long, {});
    await eventually('the long task', () => holding.length === 1);
    await tasks.send(short, { number: 0 });
    await eventually('the short task to be given back', async () => (await inQueue()) > 0, 4000);
    letGo();
    await eventually('the short task', () => starts.length === 1, 4000);
    expect(starts).toMatchObject([{ worker: 'busy', attempt: 1 }]);
  });
});

describe('a fleet of three workers whose slots are held by long tasks', () => {
  test('receives once per worker, and runs all short tasks at their first attempt once it has slots', async () => {
    const names = ['one', 'two', 'three'];
    for (const name of names) await startWorker(name);
    await Promise.all(names.map(() => tasks.send(long, {})));
    await eventually('three long tasks', () => new Set(holding).size === 3);
    await Promise.all(Array.from({ length: SHORT_TASKS }, (_, number) => tasks.send(short, { number })));
    await eventually('all short tasks to be visible', async () => (await inQueue()) === SHORT_TASKS);
    const asked = receives.length;
    const untilMs = performance.now() + (WAIT_SECONDS + 2) * 1000;
    await eventually('longer than a poll', () => performance.now() > untilMs, (WAIT_SECONDS + 4) * 1000);
    const since = receives
      .slice(asked)
      .filter(({ input }) => input.QueueUrl === backends.queueUrls.of('reports'));
    expect(since.length).toBeLessThanOrEqual(names.length);
    await expect(inQueue()).resolves.toBe(SHORT_TASKS);
    letGo();
    await eventually(
      'all short tasks',
      () => new Set(starts.map(({ number }) => number)).size === SHORT_TASKS,
    );
    expect(starts.filter(({ attempt }) => attempt !== 1)).toEqual([]);
    expect(starts).toHaveLength(SHORT_TASKS);
  });
});

/** How many short tasks wait in their queue and are visible. */
async function inQueue(): Promise<number> {
  return (await countMessages(backends, backends.queueUrls.of('reports'))).visible;
}

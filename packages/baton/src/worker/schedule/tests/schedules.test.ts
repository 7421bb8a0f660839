import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { LambdaClient } from '@aws-sdk/client-lambda';
import { SQSClient } from '@aws-sdk/client-sqs';
import { decodeEnvelope } from '../../../sqs/envelope.ts';
import { implement, Implementations } from '../../../task/implementation.ts';
import { lastTick, tickTaskId, tickTime } from '../../../task/schedule.ts';
import type { ScheduledContract } from '../../../task/task.ts';
import { TaskSchedules } from '../../../tracked/task-schedules.ts';
import { TaskStore } from '../../../tracked/task-store.ts';
import { createLogger } from '../../../telemetry/logger.ts';
import { type Backends, startBackends } from '../../../../tests/support/backends.ts';
import { eventually } from 'baton-dev/testing/eventually';
import type { SQSEvent } from 'aws-lambda';
import type { Clock } from '../../clock.ts';
import { readWorkerConfig } from '../../config.ts';
import { Worker } from '../../worker.ts';
import { scheduledTask } from './scheduled-worker.ts';
import { VirtualClock } from './virtual-clock.ts';

const YEARLY = '0 0 1 1 *';
const TWO_YEARS_MS = 2 * 366 * 86_400_000;

let backends: Backends;
beforeAll(async () => {
  backends = await startBackends(['default', 'letters']);
});
afterAll(() => backends.stop());

const storeAt = (now: () => number): TaskStore =>
  new TaskStore({ documents: backends.documents, table: backends.tasksTable, now });

/** Starts a worker that runs one scheduled task, and serves a queue with another one, which a function runs. */
function startWorker(own: ScheduledContract, functions: ScheduledContract, clock?: Clock) {
  const invoked: string[] = [];
  const send = async ({ input }: { input: { Payload: string } }) => {
    const { Records } = JSON.parse(Buffer.from(input.Payload).toString()) as SQSEvent;
    invoked.push(...Records.map(({ body }) => decodeEnvelope(body).taskId));
    return { StatusCode: 200, ExecutedVersion: '$LATEST', Payload: Buffer.from('{"batchItemFailures":[]}') };
  };
  const lambda = { send, destroy: () => undefined } as unknown as LambdaClient;
  const endpoint = backends.environment['AWS_ENDPOINT_URL_SQS'] ?? '';
  const sqs = (): SQSClient =>
    new SQSClient({
      endpoint,
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      useQueueUrlAsEndpoint: false,
    });
  const documents = { send: (command: never) => backends.documents.send(command), destroy: () => undefined };
  const worker = new Worker({
    processGuard: 'off',
    config: readWorkerConfig({
      ...backends.environment,
      WORKER_QUEUES: 'default',
      WORKER_LAMBDA_QUEUES: '[{"queue":"letters","functionName":"deliveries"}]',
      WORKER_WAIT_SECONDS: '1',
    }),
    implementations: new Implementations([implement(own, () => null)]),
    scheduled: [functions],
    logger: createLogger({ service: 'tests', level: 'silent' }),
    connections: { receiving: sqs(), settling: sqs(), sending: sqs(), lambda, documents: documents as never },
    ...(clock && { clock }),
  });
  worker.start();
  return { worker, invoked };
}

test('a worker that starts again sends the missed ticks of its own tasks and of the tasks of functions', async () => {
  const own = scheduledTask(YEARLY);
  const functions = { ...scheduledTask(YEARLY), queue: 'letters' };
  const { documents, tasksTable: table } = backends;
  const long = new TaskSchedules({ documents, table, now: () => Date.now() - TWO_YEARS_MS });
  for (const contract of [own, functions]) await long.see(contract);
  const tick = lastTick(own.schedule, new Date()) ?? new Date(0);
  const idOf = ({ name }: ScheduledContract): string => tickTaskId(name, tickTime(tick));
  const { worker, invoked } = startWorker(own, functions);
  const store = storeAt(Date.now);
  await eventually('its own task run', async () => {
    const found = await store.find(idOf(own));
    return found?.state === 'succeeded';
  });
  await eventually('the function invoked', () => invoked.includes(idOf(functions)));
  const noted = (): boolean =>
    worker.state.schedules.every(({ lastTick: last }) => last === tick.toISOString());
  await eventually('both ticks to be recorded', noted);
  expect(worker.state.schedules.map(({ task, queue }) => [task, queue])).toEqual([
    [functions.name, 'letters'],
    [own.name, 'default'],
  ]);
  await worker.stop();
});

test('a stopped worker sends no ticks', async () => {
  const clock = new VirtualClock('2026-11-25T02:00:00Z', () => 0);
  const { worker } = startWorker(scheduledTask(), { ...scheduledTask(), queue: 'letters' }, clock);
  await eventually('the worker waiting for its ticks', () => clock.waiting === 2);
  await worker.stop();
  expect(clock.waiting).toBe(0);
});

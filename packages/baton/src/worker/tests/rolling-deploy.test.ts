import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { pingTask } from '../../../tests/support/ping.ts';
import { implement, Implementations } from '../../task/implementation.ts';
import { TaskClient } from '../../send/task-client.ts';
import { defineTask } from '../../task/task.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { type Backends, startBackends } from '../../../tests/support/backends.ts';
import { eventually } from 'baton-dev/testing/eventually';
import * as z from 'zod';
import { readWorkerConfig } from '../config.ts';
import { Worker } from '../worker.ts';

const TASKS = 60;
/** The length of a task. One worker with ten slots needs six rounds for all tasks. */
const TASK_MS = 200;

const newTask = defineTask({
  name: 'tests.new',
  queue: 'default',
  payload: z.object({ number: z.int() }),
  result: z.object({ attempt: z.int() }),
  retry: { maxAttempts: 1, baseSeconds: 1 },
  timeoutSeconds: 20,
});

const logger = createLogger({ service: 'tests', level: 'silent' });
let backends: Backends;

beforeAll(async () => {
  backends = await startBackends(['default']);
});
afterAll(() => backends.stop());

/** Starts one revision of the worker, with these implementations. */
function startWorker(implementations: Implementations): Worker {
  const own = { WORKER_QUEUES: 'default', WORKER_WAIT_SECONDS: '1', WORKER_DRAIN_TIMEOUT_SECONDS: '5' };
  const config = readWorkerConfig({ AWS_REGION: 'us-east-1', ...backends.environment, ...own });
  const worker = new Worker({ config, implementations, logger });
  worker.start();
  return worker;
}

describe('a fleet during a deploy', () => {
  test(`runs ${TASKS} tasks that only the new one of two workers knows, in seconds and at their first attempt`, async () => {
    const attempts = new Map<number, number[]>();
    const run = implement(newTask, async ({ number }, { attempt }) => {
      attempts.set(number, [...(attempts.get(number) ?? []), attempt]);
      await sleep(TASK_MS);
      return { attempt };
    });
    Object.assign(process.env, backends.environment);
    const { sqs, queueUrls } = backends;
    const tasks = new TaskClient({ sqs, queueUrls, source: 'tests' });
    const old = startWorker(new Implementations([pingTask]));
    const fresh = startWorker(new Implementations([pingTask, run]));
    const startedAtMs = performance.now();
    await Promise.all(Array.from({ length: TASKS }, (_, number) => tasks.send(newTask, { number })));
    await eventually('all tasks to run', () => attempts.size === TASKS, 15_000);
    expect(performance.now() - startedAtMs).toBeLessThan(15_000);
    // SQS may deliver a message twice, and this is a first attempt too
    expect([...attempts.values()].flat().filter((attempt) => attempt !== 1)).toEqual([]);
    await Promise.all([old.stop(), fresh.stop()]);
  });
});

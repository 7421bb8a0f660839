import { execFile } from 'node:child_process';
import { describe, expect, test } from '@jest/globals';
import * as z from 'zod';
import { text } from '../../process/config.ts';
import { implement } from '../../task/implementation.ts';
import { defineTask } from '../../task/task.ts';
import { createConsumer, createTrackedConsumer } from '../consumer.ts';
import { createService } from '../service.ts';

const environment = { AWS_REGION: 'us-east-1', QUEUE_URL_PREFIX: 'http://127.0.0.1:9/0/baton-' };
const base = { name: 'payments-service', version: '1.2.3', port: 8004 };
const options = {
  queue: 'payments',
  payload: z.object({ amount: z.int() }),
  result: z.object({}),
  retry: { maxAttempts: 2, baseSeconds: 1, capSeconds: 10 },
  timeoutSeconds: 5,
} as const;
const charge = defineTask({ ...options, name: 'payments.charge' });
const settle = defineTask({ ...options, name: 'payments.settle', tracked: true });

/** How a process ends that creates a service from this environment. */
function ended(
  described: string,
  given: Record<string, string>,
): Promise<{ status: number | null; stderr: string }> {
  const program = `
    import { createService, text } from '${new URL('../index.ts', import.meta.url).href}';
    import * as z from 'zod';
    createService({ name: 'payments-service', version: '1', port: 8004, ${described} });
  `;
  const { promise, resolve } = Promise.withResolvers<{ status: number | null; stderr: string }>();
  const child = execFile(
    process.execPath,
    ['--input-type=module', '--eval', program],
    { env: given, cwd: import.meta.dirname },
    (_error, _stdout, stderr) => resolve({ status: child.exitCode, stderr }),
  );
  return promise;
}

describe('a service', () => {
  test('reads its own variables and the shared ones', () => {
    const variables = z.object({ PAYMENTS_TABLE: text('a table') });
    const service = createService({
      ...base,
      variables,
      environment: { ...environment, PAYMENTS_TABLE: 'baton-dev-payments' },
    });
    expect(service.config).toEqual({ PAYMENTS_TABLE: 'baton-dev-payments' });
    expect(service.taskStore).toBeUndefined();
  });

  test('without tracking needs no tasks table, and refuses to send a tracked task', async () => {
    const { tasks } = createService({ ...base, environment });
    await expect(tasks.send(settle, { amount: 1 })).rejects.toThrow(/payments\.settle .*task store/);
  });

  test('with tracking has the task store of the table in TASKS_TABLE', () => {
    const service = createService({
      ...base,
      tracks: true,
      environment: { ...environment, TASKS_TABLE: 'baton-dev-tasks' },
    });
    expect(service.tasksTable).toBe('baton-dev-tasks');
    expect(service.taskStore).toBeDefined();
  });

  test('does not start with a wrong environment, and names each wrong variable, its own and the shared ones', async () => {
    const { status, stderr } = await ended(
      "tracks: true, variables: z.object({ PAYMENTS_TABLE: text('the table of payments') })",
      { AWS_REGION: 'us-east-1', QUEUE_URL_PREFIX: 'here' },
    );
    expect(status).toBe(1);
    expect(stderr).toContain('PAYMENTS_TABLE is not set: expected the table of payments');
    expect(stderr).toContain('QUEUE_URL_PREFIX held');
    expect(stderr).toContain('TASKS_TABLE is not set');
    expect(stderr).not.toContain('at ');
  });
});

describe('a consumer', () => {
  const untracked = createService({ ...base, environment });
  const run = () => ({});

  test('of tracked tasks is refused if it cannot keep their state, with the code to write instead', () => {
    expect(() => createConsumer(untracked, [implement(settle, run)])).toThrow(
      'payments.settle is a tracked task: expected its consumer to be made with createTrackedConsumer',
    );
    expect(() => createTrackedConsumer(untracked, [implement(settle, run)])).toThrow(
      /payments-service runs tracked tasks: expected the option "tracks: true"/,
    );
  });

  test('of two implementations of one task is refused', () => {
    expect(() => createConsumer(untracked, [implement(charge, run), implement(charge, run)])).toThrow(
      'More than one implementation of payments.charge',
    );
  });
});

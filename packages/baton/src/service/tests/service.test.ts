import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { arnOfSecret, CREDENTIALS, SecretsManager } from 'baton-dev/testing/secrets-manager';
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
  const { NODE_COMPILE_CACHE } = process.env;
  const { promise, resolve } = Promise.withResolvers<{ status: number | null; stderr: string }>();
  const child = execFile(
    process.execPath,
    ['--input-type=module', '--eval', program],
    { env: { NODE_COMPILE_CACHE, ...given }, cwd: import.meta.dirname },
    (_error, _stdout, stderr) => resolve({ status: child.exitCode, stderr }),
  );
  return promise;
}

describe('a secret of a service', () => {
  const secrets = z.object({
    SHOP_LOGIN: z.string().min(8, { error: 'expected at least 8 characters' }),
    SPARE: z.string().optional(),
  });
  const reading = (given: Record<string, string>) =>
    createService({ ...base, secrets, environment: { ...environment, ...given } }).secrets;
  const ofProcess = { ...process.env };
  let folder: string;
  beforeEach(async () => {
    const { accessKeyId, secretAccessKey, sessionToken } = CREDENTIALS;
    Object.assign(process.env, {
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_SESSION_TOKEN: sessionToken,
    });
    folder = await mkdtemp(join(tmpdir(), 'baton-secret-'));
  });
  afterEach(async () => {
    process.env = ofProcess;
    await rm(folder, { recursive: true });
  });

  test('may stand in the environment itself', async () => {
    const { SHOP_LOGIN, SPARE } = reading({ SHOP_LOGIN: 'me:password' });
    await expect(SHOP_LOGIN.value()).resolves.toBe('me:password');
    expect(SPARE).toBeUndefined();
  });

  test('may stand in a file', async () => {
    const file = join(folder, 'login');
    await writeFile(file, 'me:password\n');
    await expect(reading({ SHOP_LOGIN_FILE: file }).SHOP_LOGIN.value()).resolves.toBe('me:password');
  });

  test('may stand in Secrets Manager, which is asked with the credentials of the process', async () => {
    const manager = await SecretsManager.start();
    try {
      manager.secrets.set(arnOfSecret('shop'), '{"login":"me:password"}');
      const { SHOP_LOGIN } = reading({
        SHOP_LOGIN_SECRET: `${arnOfSecret('shop')}:login`,
        AWS_ENDPOINT_URL_SECRETS_MANAGER: manager.url,
      });
      expect(manager.asked).toEqual([]);
      await expect(SHOP_LOGIN.value()).resolves.toBe('me:password');
      expect(manager.asked).toEqual([arnOfSecret('shop')]);
    } finally {
      await manager.stop();
    }
  });

  test('that is wrong in Secrets Manager is told when it is read, and not shown', async () => {
    const manager = await SecretsManager.start();
    try {
      manager.answers.push((response) => response.writeHead(200).end('{"SecretString":"short"}'));
      const { SHOP_LOGIN } = reading({
        SHOP_LOGIN_SECRET: arnOfSecret('shop'),
        AWS_ENDPOINT_URL: manager.url,
      });
      const value = SHOP_LOGIN.value();
      await expect(value).rejects.toThrow(
        `The secret ${arnOfSecret('shop')} holds a wrong value: expected at least 8 characters`,
      );
      await expect(value).rejects.not.toThrow('short');
    } finally {
      await manager.stop();
    }
  });

  test.each<[string, Record<string, string>, string]>([
    [
      'is missing',
      {},
      'SHOP_LOGIN is not set: Invalid input: expected string, received undefined. Or set SHOP_LOGIN_FILE or SHOP_LOGIN_SECRET',
    ],
    ['is wrong', { SHOP_LOGIN: 'short' }, 'SHOP_LOGIN held "***": expected at least 8 characters'],
    ['is in no file', { SHOP_LOGIN_FILE: '/none' }, 'SHOP_LOGIN_FILE held "/none": cannot be read: ENOENT'],
    [
      'is wrong in its file',
      { SHOP_LOGIN_FILE: import.meta.dirname },
      `SHOP_LOGIN_FILE held "${import.meta.dirname}": cannot be read`,
    ],
    [
      'is in two places',
      { SHOP_LOGIN: 'me:password', SHOP_LOGIN_SECRET: arnOfSecret('shop') },
      'SHOP_LOGIN_SECRET held "***": is set together with SHOP_LOGIN; expected only one of the two',
    ],
    [
      'stands in place of its ARN',
      { SHOP_LOGIN_SECRET: 'me:password' },
      'SHOP_LOGIN_SECRET held "***": expected the whole ARN of a secret',
    ],
  ])('that %s stops the process with a line that does not show it', async (_what, given, says) => {
    const secretsText =
      "secrets: z.object({ SHOP_LOGIN: z.string().min(8, { error: 'expected at least 8 characters' }) })";
    const { status, stderr } = await ended(secretsText, { ...environment, ...given });
    expect(stderr).toContain(says);
    expect(stderr).not.toMatch(/me:password|short|^ +at /m);
    expect(status).toBe(1);
  });
});

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

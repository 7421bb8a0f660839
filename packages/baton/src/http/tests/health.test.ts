import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { createLogger, type Logger } from '../../telemetry/logger.ts';
import { Health, type HealthOptions } from '../health.ts';

const silent = createLogger({ service: 'tests', level: 'silent' });
/** An error as the AWS SDK throws it. */
const denied = (): Promise<never> =>
  Promise.reject(
    new Error('User: arn:aws:iam::123456789012:role/x is not authorized on arn:aws:dynamodb:orders'),
  );
const works = async (): Promise<void> => undefined;

afterEach(() => {
  jest.useRealTimers();
});

const healthOf = (options: Partial<HealthOptions>): Health =>
  new Health({ ready: {}, logger: silent, ...options });

async function ask(health: Health, path = '/health/ready') {
  const answer = await health.answer(path);
  return answer && { status: answer.statusCode, body: JSON.parse(answer.body) as unknown };
}

describe('health', () => {
  test('is ready and live if nothing is wrong', async () => {
    const health = healthOf({ ready: { table: works, queue: works } });
    expect(await ask(health)).toEqual({ status: 200, body: { status: 'ready' } });
    expect(await ask(health, '/health/live')).toEqual({ status: 200, body: { status: 'live' } });
  });

  test('says in a word what does not answer, and tells no stranger about the account', async () => {
    const health = healthOf({ ready: { table: denied, queue: works, tasks: denied } });
    expect(await ask(health)).toEqual({
      status: 503,
      body: { status: 'unavailable', dependencies: ['table', 'tasks'] },
    });
  });

  test('says only that it is unavailable if its check has no word, or the process has to start again', async () => {
    const health = healthOf({ ready: denied, live: denied });
    expect(await ask(health)).toEqual({ status: 503, body: { status: 'unavailable' } });
    expect(await ask(health, '/health/live')).toEqual({ status: 503, body: { status: 'unavailable' } });
  });

  test('writes the errors into the log, once until they change', async () => {
    jest.useFakeTimers();
    const lines: unknown[][] = [];
    const logger = {
      warn: (...line: unknown[]) => lines.push(line),
      info: (...line: unknown[]) => lines.push(line),
    } as unknown as Logger;
    let table: () => Promise<unknown> = denied;
    const health = healthOf({ ready: { table: () => table() }, logger });
    for (let asked = 0; asked < 3; asked += 1) {
      await ask(health);
      await jest.advanceTimersByTimeAsync(1000);
    }
    expect(lines).toEqual([
      [
        {
          dependency: 'table',
          error: expect.objectContaining({
            message: expect.stringContaining('arn:aws') as unknown,
          }) as unknown,
        },
        'not ready',
      ],
    ]);
    table = works;
    await ask(health);
    expect(lines.at(-1)).toEqual(['ready again']);
  });

  test('is checked once a second, however many callers ask', async () => {
    jest.useFakeTimers();
    let checks = 0;
    const health = healthOf({ ready: { table: async () => (checks += 1) } });
    await Promise.all(Array.from({ length: 100 }, () => ask(health)));
    await ask(health);
    expect(checks).toBe(1);
    await jest.advanceTimersByTimeAsync(1000);
    await ask(health);
    expect(checks).toBe(2);
  });

  test('is unavailable if a check does not end within 3 s', async () => {
    jest.useFakeTimers();
    const health = healthOf({ ready: { table: () => new Promise(() => undefined) } });
    const asked = ask(health);
    await jest.advanceTimersByTimeAsync(3000);
    expect(await asked).toMatchObject({ status: 503 });
  });

  test('has no other routes', async () => {
    const health = healthOf({});
    expect(await ask(health, '/health/state')).toBeUndefined();
    expect(await ask(health, '/orders')).toBeUndefined();
    expect(await ask(healthOf({ state: () => ({ a: 1 }) }), '/health/state')).toMatchObject({
      body: { a: 1 },
    });
  });
});

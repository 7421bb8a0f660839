import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { payloadHashOf } from '../../send/prepared-task.ts';
import { randomUUID } from 'node:crypto';
import { tickTaskId } from '../../task/schedule.ts';
import { defineTask, isScheduled, type ScheduledContract } from '../../task/task.ts';
import { TaskHistory } from '../task-history.ts';
import { isDue, TaskSchedules } from '../task-schedules.ts';
import { TaskStore } from '../task-store.ts';
import { type Backends, startBackends } from '../../../tests/support/backends.ts';
import * as z from 'zod';

const NOW = '2026-11-24T10:00:00.000Z';
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const YEAR_MS = 365 * DAY_MS;

let backends: Backends;
let nowMs: number;
let store: TaskStore;
let schedules: TaskSchedules;

beforeAll(async () => {
  backends = await startBackends([]);
});
afterAll(() => backends.stop());
beforeEach(() => {
  nowMs = Date.parse(NOW);
  const { documents, tasksTable: table } = backends;
  store = new TaskStore({ documents, table, now: () => nowMs });
  schedules = new TaskSchedules({ documents, table, now: () => nowMs });
});

function scheduled(cron = '0 3 * * *', name = `tests.sweep-${randomUUID()}`): ScheduledContract {
  const contract = defineTask({
    name,
    queue: 'default',
    payload: z.object({}),
    result: z.void(),
    retry: { maxAttempts: 1, baseSeconds: 1 },
    timeoutSeconds: 10,
    tracked: true,
    schedule: { cron, timeZone: 'UTC' },
  });
  if (!isScheduled(contract)) throw new TypeError('expected a schedule');
  return contract;
}

const at = (time: string): Date => new Date(time);

test('a schedule keeps the time at which it was first seen', async () => {
  const contract = scheduled();
  const rows = await Promise.all([schedules.see(contract), schedules.see(contract)]);
  expect(rows.map(({ since }) => since)).toEqual([NOW, NOW]);
  nowMs += 3 * YEAR_MS;
  await expect(schedules.see(contract)).resolves.toMatchObject({ since: NOW });
});

test('a row that no worker has written is written anew: the schedule is not muted', async () => {
  const contract = scheduled();
  const { taskId } = await schedules.see(contract);
  const Key = { taskId };
  const expression = 'SET #depth = :one, expiresAt = :one REMOVE since';
  await backends.documents.send(
    new UpdateCommand({
      TableName: backends.tasksTable,
      Key,
      UpdateExpression: expression,
      ExpressionAttributeNames: { '#depth': 'depth' },
      ExpressionAttributeValues: { ':one': 1 },
    }),
  );
  const seen = await schedules.see(contract);
  expect(seen).toMatchObject({ since: NOW });
  expect(isDue(at(NOW), seen)).toBe(true);
  const { Item } = await backends.documents.send(new GetCommand({ TableName: backends.tasksTable, Key }));
  expect(Item).not.toHaveProperty('expiresAt');
});

test('a tick is not due if it is before the first sight, or if it is recorded', async () => {
  const contract = scheduled();
  const seen = await schedules.see(contract);
  expect(isDue(at('2026-11-24T09:59:59.999Z'), seen)).toBe(false);
  expect(isDue(at(NOW), seen)).toBe(true);
  const noted = await schedules.record(contract, at('2026-11-25T03:00:00Z'));
  expect(noted).toMatchObject({ since: NOW, lastTick: '2026-11-25T03:00:00.000Z' });
  expect(isDue(at('2026-11-24T12:00:00Z'), noted)).toBe(false);
  expect(isDue(at('2026-11-25T03:00:00Z'), noted)).toBe(false);
  expect(isDue(at('2026-11-26T03:00:00Z'), noted)).toBe(true);
});

test('an older tick does not replace the last recorded one, and its worker gets the last one', async () => {
  const contract = scheduled();
  await schedules.see(contract);
  nowMs += YEAR_MS;
  await schedules.record(contract, at('2026-11-26T03:00:00Z'));
  const told = await schedules.record(contract, at('2026-11-25T03:00:00Z'));
  expect(told.lastTick).toBe('2026-11-26T03:00:00.000Z');
  await expect(schedules.see(contract)).resolves.toEqual(told);
});

test('a changed cron expression is a new schedule beside the old one', async () => {
  const [old, changed] = [scheduled('0 3 * * *', 'tests.changed'), scheduled('0 12 * * *', 'tests.changed')];
  await schedules.see(old);
  await schedules.record(old, at('2026-11-24T03:00:00Z'));
  nowMs += 60_000;
  await expect(schedules.see(changed)).resolves.toMatchObject({ since: '2026-11-24T10:01:00.000Z' });
  await expect(schedules.see(old)).resolves.toMatchObject({ lastTick: '2026-11-24T03:00:00.000Z' });
});

test.each([
  ['its first sight', '2036-01-01T00:00:00.000Z', undefined, '2026-11-24T10:00:01.000Z'],
  ['a tick', NOW, '2036-01-01T00:00:00.000Z', NOW],
  ['a tick of today', NOW, '2026-11-24T22:00:00.000Z', NOW],
])(
  'a schedule for which a wrong clock wrote %s is repaired, and misses no tick since it was seen',
  async (_what, seenAt, tick, since) => {
    const contract = scheduled();
    nowMs = Date.parse(seenAt);
    await schedules.see(contract);
    if (tick) await schedules.record(contract, at(tick));
    nowMs = Date.parse(NOW) + 1000;
    const row = await schedules.see(contract);
    expect(row).toEqual({ taskId: row.taskId, since });
    await expect(schedules.see(contract)).resolves.toEqual(row);
  },
);

test('a repaired schedule goes back at most 13 days, as long as its tasks are kept', async () => {
  const contract = scheduled();
  await schedules.see(contract);
  nowMs += YEAR_MS;
  await schedules.record(contract, new Date(nowMs + YEAR_MS));
  const { since } = await schedules.see(contract);
  expect(since).toBe(new Date(nowMs - 13 * DAY_MS).toISOString());
});

test('a due tick replaces a recorded tick that lies ahead of the clock', async () => {
  const contract = scheduled();
  await schedules.see(contract);
  await schedules.record(contract, at('2026-11-25T03:00:00Z'));
  await expect(schedules.record(contract, at('2026-11-24T03:00:00Z'))).resolves.toMatchObject({
    lastTick: '2026-11-24T03:00:00.000Z',
  });
});

test('a clock that is slightly behind does not repair a tick of the other clocks', async () => {
  const contract = scheduled('* * * * *');
  await schedules.see(contract);
  await schedules.record(contract, at('2026-11-24T10:00:04Z'));
  await expect(schedules.see(contract)).resolves.toMatchObject({
    lastTick: '2026-11-24T10:00:04.000Z',
  });
});

describe('the task of a tick that a worker with a wrong clock', () => {
  const TICK = '2026-11-24T22:00:00Z';
  const claim = (taskId: string) => ({
    taskId,
    task: taskId.split('.').slice(1, -1).join('.'),
    queue: 'default',
    claimId: 'wrong',
    owner: 'wrong',
    payloadHash: payloadHashOf({}),
    leaseSeconds: 30,
  });

  /** Sends the task of a tick 12 h early, as a worker with a wrong clock does. */
  async function send(contract: ScheduledContract): Promise<string> {
    const taskId = tickTaskId(contract.name, TICK);
    await schedules.see(contract);
    nowMs += 12 * HOUR_MS + 60_000;
    await store.create({ taskId, task: contract.name, queue: contract.queue });
    await schedules.record(contract, at(TICK));
    return taskId;
  }

  async function run(taskId: string): Promise<void> {
    const row = await store.attempts.claim(claim(taskId));
    const held = { taskId, claimId: 'wrong', token: row?.token ?? 0 };
    await store.attempts.beginEffect(held, 'mail');
    await store.attempts.keepEffect(held, 'mail', '1');
    await store.attempts.conclude(held, { state: 'succeeded', result: 'null' });
  }

  const fresh = { state: 'queued', attempts: 0, effects: {}, notBefore: '2026-11-24T22:00:00.000Z' };

  test('sent and ran waits for the tick once a worker with a right clock sees the schedule', async () => {
    const contract = scheduled('0 * * * *');
    const taskId = await send(contract);
    await run(taskId);
    nowMs = Date.parse(NOW) + 30_000;
    await schedules.see(contract);
    const row = await store.read(taskId);
    expect(row).toMatchObject(fresh);
    const { result, finishedAt, claimId, begunEffects } = row ?? {};
    expect({ result, finishedAt, claimId, begunEffects }).toEqual({});
    await expect(store.attempts.claim(claim(taskId))).resolves.toMatchObject({ state: 'queued' });
    nowMs = Date.parse(TICK);
    await expect(store.attempts.claim(claim(taskId))).resolves.toMatchObject({ state: 'running', token: 3 });
  });

  test('still runs accepts no writes from it, and waits for the tick', async () => {
    const contract = scheduled('0 * * * *');
    const taskId = await send(contract);
    const { token = 0 } = (await store.attempts.claim(claim(taskId))) ?? {};
    nowMs = Date.parse(NOW) + 30_000;
    await schedules.see(contract);
    const held = { taskId, claimId: 'wrong', token };
    await expect(
      store.attempts.conclude(held, { state: 'succeeded', result: 'null' }),
    ).resolves.toBeUndefined();
    await expect(store.read(taskId)).resolves.toMatchObject(fresh);
  });

  test('sent and another worker ran starts again at the time of the tick', async () => {
    const contract = scheduled('0 * * * *');
    const taskId = await send(contract);
    nowMs = Date.parse(NOW) + 30_000;
    await run(taskId);
    nowMs = Date.parse(TICK);
    await schedules.reopen(contract, at(TICK));
    await expect(store.read(taskId)).resolves.toMatchObject(fresh);
  });

  test.each<[string, (contract: ScheduledContract) => Promise<unknown>]>([
    ['seen', (contract) => schedules.see(contract)],
    [
      'sent',
      (contract) => {
        nowMs = Date.parse(TICK);
        return schedules.reopen(contract, at(TICK));
      },
    ],
  ])('ran has a greater token at its next end, once its tick is %s again', async (_what, reopen) => {
    const contract = scheduled('0 * * * *');
    const taskId = await send(contract);
    nowMs = Date.parse(NOW) + 30_000;
    await run(taskId);
    const { token = Infinity } = (await store.read(taskId)) ?? {};
    await reopen(contract);
    await store.cancel(taskId);
    const row = await store.read(taskId);
    expect(row?.state).toBe('cancelled');
    expect(row?.token).toBeGreaterThan(token);
  });

  test('sent stays cancelled after it was cancelled', async () => {
    const contract = scheduled('0 * * * *');
    const taskId = await send(contract);
    await store.cancel(taskId);
    nowMs = Date.parse(NOW) + 30_000;
    await schedules.see(contract);
    nowMs = Date.parse(TICK);
    await schedules.reopen(contract, at(TICK));
    await expect(store.read(taskId)).resolves.toMatchObject({ state: 'cancelled' });
  });

  test('never saw stays as it is after it has run in time', async () => {
    const contract = scheduled('0 * * * *');
    const taskId = await send(contract);
    await run(taskId);
    await schedules.reopen(contract, at(TICK));
    await expect(store.read(taskId)).resolves.toMatchObject({ state: 'succeeded', attempts: 1 });
  });
});

test('the row of a schedule is not a task', async () => {
  const { taskId } = await schedules.see(scheduled());
  await expect(store.find(taskId)).resolves.toBeUndefined();
  await expect(store.cancel(taskId)).resolves.toBeUndefined();
  const history = new TaskHistory(backends.documents, backends.tasksTable, () => nowMs);
  const { tasks } = await history.list({ limit: 100 });
  expect(tasks.filter((task) => task.taskId.startsWith('schedule#'))).toEqual([]);
});

import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { type Backends, startBackends } from 'baton-dev/testing/backends';
import { eventually } from 'baton-dev/testing/eventually';
import { Program } from 'baton-dev/testing/program';
import { Proxy } from 'baton-dev/testing/proxy';
import { read, RunningService } from 'baton-dev/testing/service';
import { environmentOf, StoredTasks } from './stored-tasks.ts';

const LONG_ID = 'i'.repeat(129);

let backends: Backends;
let service: RunningService;
let url: string;
let stored: StoredTasks;

beforeAll(async () => {
  backends = await startBackends(['worker']);
  stored = new StoredTasks(backends);
  service = await RunningService.start('task-service', environmentOf(backends));
  ({ url } = service);
});
afterAll(async () => {
  await service.program.stop();
  await backends.stop();
});

/** A forged cursor. */
const cursorOf = (position: unknown): string => Buffer.from(JSON.stringify(position)).toString('base64url');

describe('task-service', () => {
  test.each([
    ['GET', '/tasks/no-such-task', 404, 'not-found', null],
    ['GET', `/tasks/${LONG_ID}`, 404, 'not-found', null],
    ['GET', '/tasks/%00%F0%9F%99%82', 404, 'not-found', null],
    ['POST', '/tasks/no-such-task/cancel', 404, 'not-found', null],
    ['POST', `/tasks/${LONG_ID}/cancel`, 404, 'not-found', null],
    ['GET', '/tasks/a/b', 404, 'unknown-route', null],
    ['POST', '/tasks/a/cancel/now', 404, 'unknown-route', null],
    ['GET', '/task', 404, 'unknown-route', null],
    ['POST', '/tasks', 405, 'method-not-allowed', 'GET, HEAD, OPTIONS'],
    ['DELETE', '/tasks/a', 405, 'method-not-allowed', 'GET, HEAD, OPTIONS'],
    ['POST', '/tasks/a', 405, 'method-not-allowed', 'GET, HEAD, OPTIONS'],
    ['GET', '/tasks/a/cancel', 405, 'method-not-allowed', 'POST, OPTIONS'],
  ])('answers %s %s with %d %s', async (method, path, status, kind, allow) => {
    const response = await fetch(url + path, { method });
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(response.headers.get('allow')).toBe(allow);
    await expect(read(response)).resolves.toMatchObject({ type: `urn:baton:problem:${kind}`, status });
  });

  test('finds no task by the id of a group, which has a row in the same table', async () => {
    const groupId = randomUUID();
    const next = { taskId: 'n', task: 'tests.next', queue: 'default' };
    await stored.store.groups.create({ groupId, memberIds: ['a'], next });
    expect((await fetch(`${url}/tasks/${groupId}`)).status).toBe(404);
    expect((await fetch(`${url}/tasks/${groupId}/cancel`, { method: 'POST' })).status).toBe(404);
  });

  test.each<[string, object, boolean?]>([
    ['no queue', { queue: undefined }],
    ['no name', { task: undefined }],
    ['a queue that is no text', { queue: 7 }],
    ['a queue that is a list', { queue: ['default'] }],
    ['a wait that is no object', { waiting: 'long' }, true],
    ['a number that JSON has not', { progress: { at: '2026-11-30T10:00:00.000Z', done: 10n ** 20n } }],
    ['an end that is no time', { state: 'dead', finishedAt: { at: 1 } }],
    ['a result that is no text', { state: 'succeeded', result: 7 }, true],
    ['a result that is no JSON', { state: 'succeeded', result: '{' }, true],
  ])('finds no task in a row with %s, and lists the others', async (_what, broken, isListed = false) => {
    const [taskId, listedAt] = [randomUUID(), '2026-11-30T10:00:00.000Z#'];
    const listed = { listedIn: 'tasks', listedAt, expiresAt: Math.floor(Date.now() / 1000) + 600 };
    const Item = { taskId, task: 'tests.work', queue: 'default', state: 'queued', ...listed, ...broken };
    await backends.documents.send(new PutCommand({ TableName: backends.tasksTable, Item }));
    const other = await stored.queued();
    expect((await fetch(`${url}/tasks/${taskId}`)).status).toBe(404);
    const list = await fetch(`${url}/tasks?limit=100`);
    expect(list.status).toBe(200);
    const { tasks } = (await read(list)) as { tasks: { taskId: string }[] };
    const ids = tasks.map((task) => task.taskId);
    expect(ids).toContain(other.taskId);
    // Lists show neither waits nor results
    expect(ids.includes(taskId)).toBe(isListed);
    await eventually('a line', async () => isListed || service.program.output.includes(taskId));
    // It may be sound without what a cancellation takes away
    expect((await fetch(`${url}/tasks/${taskId}/cancel`, { method: 'POST' })).status).toBeLessThan(500);
  });

  test.each([
    ['GET', '/tasks?colour=red', '', 'colour'],
    ['GET', '/tasks/a?colour=red', '', 'colour'],
    ['POST', '/tasks/a/cancel?force=1', '', 'force'],
    ['GET', '/tasks?state=lost', 'state', 'expected one of queued, running, retrying, succeeded'],
    ['GET', '/tasks?state=', 'state', 'expected one of queued'],
    ['GET', '/tasks?state=queued&state=dead', 'state', 'expected one of queued'],
    ['GET', '/tasks?name=', 'name', 'expected domain.verb in lower case'],
    ['GET', '/tasks?name=letters', 'name', 'expected domain.verb in lower case'],
    ['GET', '/tasks?name=Letters.send', 'name', 'expected domain.verb in lower case'],
    ['GET', `/tasks?name=letters.${'p'.repeat(122)}`, 'name', '128'],
    ['GET', '/tasks?limit=0', 'limit', 'expected a whole number from 1 to 100'],
    ['GET', '/tasks?limit=101', 'limit', 'expected a whole number from 1 to 100'],
    ['GET', '/tasks?limit=1.5', 'limit', 'expected a whole number from 1 to 100'],
    ['GET', `/tasks?cursor=${'c'.repeat(2049)}`, 'cursor', '2048'],
  ])('answers %s %s with 400, saying what is wrong with the query', async (method, path, at, says) => {
    const response = await fetch(url + path, { method });
    expect(response.status).toBe(400);
    await expect(read(response)).resolves.toMatchObject({
      type: 'urn:baton:problem:invalid-request',
      errors: [{ path: at, message: expect.stringContaining(says) as unknown }],
    });
  });

  test.each([
    ['no cursor', 'rubbish'],
    ['nothing', ''],
    ['null', cursorOf(null)],
    ["another service's", cursorOf({ listedAt: '2026-11-24T10:00:00.000Z#o-1', orderId: 'o-1' })],
    ['without a place', cursorOf({ listedAt: '', taskId: 't-1' })],
    ['without an id', cursorOf({ listedAt: '2026-11-24T10:00:00.000Z#', taskId: '' })],
    ['with a place that is not a string', cursorOf({ listedAt: 1, taskId: 't-1' })],
    ['with an id too long', cursorOf({ listedAt: '2026', taskId: LONG_ID })],
    ['with more', cursorOf({ listedAt: '2026', taskId: 't-1', task: 'tests.work' })],
  ])('answers a cursor that is %s with 400', async (_what, cursor) => {
    for (const filter of ['', 'name=tests.work&', 'state=queued&']) {
      const response = await fetch(`${url}/tasks?${filter}cursor=${cursor}`);
      expect(response.status).toBe(400);
      await expect(read(response)).resolves.toMatchObject({ type: 'urn:baton:problem:invalid-cursor' });
    }
  });

  test.each(['succeeded', 'failed', 'dead'] as const)(
    'refuses to cancel a task that is %s: 409',
    async (state) => {
      const { taskId } = await stored.ended(state);
      const response = await fetch(`${url}/tasks/${taskId}/cancel`, { method: 'POST' });
      expect(response.status).toBe(409);
      expect(response.headers.get('content-type')).toBe('application/problem+json');
      await expect(read(response)).resolves.toMatchObject({
        type: 'urn:baton:problem:task-ended',
        title: 'The task has ended',
        status: 409,
        detail: `The task "${taskId}" is ${state}; expected a task that has not ended.`,
      });
      await expect(service.get(`/tasks/${taskId}`)).resolves.toMatchObject({ state });
    },
  );

  test('answers 503 with Retry-After while the store does not answer', async () => {
    const proxy = await Proxy.start(backends.environment['AWS_ENDPOINT_URL_DYNAMODB'] ?? '');
    const behind = { ...environmentOf(backends), AWS_ENDPOINT_URL_DYNAMODB: proxy.endpoint };
    const { program, url: at } = await RunningService.start('task-service', behind);
    const { taskId } = await stored.queued();
    const statusOf = async (path: string): Promise<number> => (await fetch(at + path)).status;
    await expect(statusOf(`/tasks/${taskId}`)).resolves.toBe(200);
    proxy.change('cut');
    for (const [method, path] of [
      ['GET', `/tasks/${taskId}`],
      ['GET', '/tasks'],
      ['POST', `/tasks/${taskId}/cancel`],
    ] as const) {
      const response = await fetch(at + path, { method });
      expect(response.status).toBe(503);
      expect(response.headers.get('retry-after')).toBe('5');
      await expect(read(response)).resolves.toMatchObject({ type: 'urn:baton:problem:service-unavailable' });
    }
    await expect(statusOf('/health/ready')).resolves.toBe(503);
    await expect(statusOf('/health/live')).resolves.toBe(200);
    proxy.change('pass');
    // An answer is kept for a second
    await eventually('readiness', async () => (await statusOf('/health/ready')) === 200);
    await expect(read(await fetch(`${at}/tasks/${taskId}`))).resolves.toMatchObject({ state: 'queued' });
    await program.stop();
    await proxy.stop();
  });
});

describe('the start of task-service', () => {
  test('is refused when variables of the service are wrong, in words without a stack, all at once', async () => {
    const wrong = {
      TASKS_TABLE: '',
      LOG_LEVEL: 'loud',
      AWS_REGION: '',
      AWS_ENDPOINT_URL_DYNAMODB: 'here',
    };
    const says = [
      'TASKS_TABLE is not set: expected the name of the table of the task store',
      'LOG_LEVEL held "loud": expected one of trace, debug, info',
      'AWS_REGION is not set: expected a region of AWS',
      'AWS_ENDPOINT_URL_DYNAMODB held "here": expected a URL such as',
    ];
    const program = new Program('functions/task-service/main.ts', { ...environmentOf(backends), ...wrong });
    await expect(program.ended()).resolves.toBe(1);
    expect(says.filter((words) => !program.output.includes(words))).toEqual([]);
    expect(program.output).not.toContain('    at ');
  });

  test('is refused when its port is taken', async () => {
    const { port } = new URL(url);
    const program = new Program('functions/task-service/main.ts', { ...environmentOf(backends), PORT: port });
    await expect(program.ended()).resolves.toBe(1);
    expect(program.output).toContain(`Port ${port} of 127.0.0.1 is taken`);
  });

  // Last, because all tests before it use this process
  test('leads to an end with status 0 at SIGTERM', async () => {
    await expect(service.program.stop()).resolves.toBe(0);
  });
});

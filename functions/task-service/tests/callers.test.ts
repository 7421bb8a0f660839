import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type Backends, startBackends } from 'baton-dev/testing/backends';
import { Callers } from 'baton-dev/testing/callers';
import { read } from 'baton-dev/testing/service';
import { environmentOf, StoredTasks } from './stored-tasks.ts';

let backends: Backends;
let callers: Callers;
let taskId: string;

beforeAll(async () => {
  backends = await startBackends(['worker']);
  callers = await Callers.start('task-service', environmentOf(backends));
});
afterAll(async () => {
  await callers.stop();
  await backends.stop();
});
beforeEach(async () => {
  ({ taskId } = await new StoredTasks(backends).queued());
});

describe('who may do what with tasks', () => {
  // prettier-ignore
  test.each([
    // route                   no token, A,   B,   operator, no scopes, authentication off
    ['GET /tasks',             [401, 403, 403, 200,      403,       200]],
    ['GET /tasks/ID',          [401, 403, 403, 200,      403,       200]],
    ['POST /tasks/ID/cancel',  [401, 403, 403, 200,      403,       200]],
  ] as const)('%s', async (route, statuses) => {
    await expect(callers.statuses(route.replace('ID', taskId))).resolves.toEqual(statuses);
  });

  test.each([
    ['operator', 'operator'],
    ['off', '(anonymous)'],
  ] as const)('a task shows who cancelled it: %s', async (caller, cancelledBy) => {
    await callers.ask(caller, `POST /tasks/${taskId}/cancel`);
    await expect(read(await callers.ask(caller, `GET /tasks/${taskId}`))).resolves.toMatchObject({
      state: 'cancelled',
      cancelledBy,
      finishedAt: expect.any(String) as unknown,
    });
  });
});

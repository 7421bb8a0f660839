import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { TaskStore } from '../task-store.ts';
import { type Backends, startBackends } from '../../../tests/support/backends.ts';

const earlier = { ended: 2, attempts: 1, crashes: 1, begun: 3, alone: true, suspect: true };
let backends: Backends;
let store: TaskStore;

beforeAll(async () => {
  backends = await startBackends([]);
  store = new TaskStore({ documents: backends.documents, table: backends.tasksTable });
});
afterAll(() => backends.stop());

test('an entry in the log of receives replaces the earlier entry of its message, and is not a task', async () => {
  const messageId = randomUUID();
  await expect(store.receives.find(messageId)).resolves.toBeUndefined();
  await store.receives.keep(messageId, { ended: 1, attempts: 1, crashes: 0 });
  await store.receives.keep(messageId, earlier);
  await expect(store.receives.find(messageId)).resolves.toMatchObject(earlier);
  await expect(store.find(`message#${messageId}`)).resolves.toBeUndefined();
});

test('a table that does not answer delays an attempt once by 2 s, and gets no requests for some time', async () => {
  const send = jest.fn(() => new Promise(() => undefined));
  const documents = { send } as unknown as Backends['documents'];
  const { receives } = new TaskStore({ documents, table: 'tasks', now: Date.now });
  const askedAtMs = performance.now();
  await expect(receives.find('m-1')).rejects.toThrow('did not answer within 2000 ms');
  await expect(receives.keep('m-1', earlier)).rejects.toThrow('did not answer a moment ago');
  expect(performance.now() - askedAtMs).toBeLessThan(3000);
  expect(send).toHaveBeenCalledTimes(1);
});

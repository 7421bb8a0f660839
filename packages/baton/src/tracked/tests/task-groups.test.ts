import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { TaskStore } from '../task-store.ts';
import { type Backends, startBackends } from '../../../tests/support/backends.ts';

let backends: Backends;
let store: TaskStore;

beforeAll(async () => {
  backends = await startBackends([]);
  store = new TaskStore({ documents: backends.documents, table: backends.tasksTable });
});
afterAll(() => backends.stop());

const newGroup = (change: object = {}) => ({
  groupId: randomUUID(),
  memberIds: ['a', 'b'],
  next: { taskId: 'c', task: 'tests.work', queue: 'default' },
  ...change,
});

test('a group knows which of its members are done, each once', async () => {
  const group = newGroup();
  await store.groups.create(group);
  await store.groups.memberDone(group.groupId, 'a');
  // Its worker died, say, before the message was deleted
  const again = await store.groups.memberDone(group.groupId, 'a');
  expect(again?.done).toEqual(new Set(['a']));
  await expect(store.groups.memberDone(group.groupId, 'b')).resolves.toMatchObject({
    memberIds: ['a', 'b'],
    next: group.next,
    done: new Set(['a', 'b']),
  });
});

test('a group that is known stays as it is', async () => {
  const group = newGroup();
  await store.groups.create(group);
  await store.groups.memberDone(group.groupId, 'a');
  await store.groups.create(group);
  await expect(store.groups.find(group.groupId)).resolves.toMatchObject({ done: new Set(['a']) });
});

test('a member of a group that has expired makes no new one', async () => {
  const groupId = randomUUID();
  await expect(store.groups.memberDone(groupId, 'a')).resolves.toBeUndefined();
  await expect(store.groups.find(groupId)).resolves.toBeUndefined();
});

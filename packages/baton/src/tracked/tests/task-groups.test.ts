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

test('the row of a group has each member that is done, once', async () => {
  const group = newGroup();
  await store.groups.create(group);
  await store.groups.memberDone(group.groupId, 'a');
  // For example, its worker died before it deleted the message
  const again = await store.groups.memberDone(group.groupId, 'a');
  expect(again?.done).toEqual(new Set(['a']));
  await expect(store.groups.memberDone(group.groupId, 'b')).resolves.toMatchObject({
    memberIds: ['a', 'b'],
    next: group.next,
    done: new Set(['a', 'b']),
  });
});

test('a group that exists is not changed by a second create', async () => {
  const group = newGroup();
  await store.groups.create(group);
  await store.groups.memberDone(group.groupId, 'a');
  await store.groups.create(group);
  await expect(store.groups.find(group.groupId)).resolves.toMatchObject({ done: new Set(['a']) });
});

test('a member of an expired group does not create the group again', async () => {
  const groupId = randomUUID();
  await expect(store.groups.memberDone(groupId, 'a')).resolves.toBeUndefined();
  await expect(store.groups.find(groupId)).resolves.toBeUndefined();
});

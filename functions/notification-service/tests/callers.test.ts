import { randomUUID } from 'node:crypto';
import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Backends, startBackends } from 'baton-dev/testing/backends';
import { CALLERS, Callers } from 'baton-dev/testing/callers';
import { read } from 'baton-dev/testing/service';
import { Retention } from 'baton-tasks/http';
import { NotificationStore } from '../store.ts';

const mail = { channel: 'EMAIL', recipient: 'customer@example.com', subject: 'Hello', message: 'World' };

let backends: Backends;
let table: string;
let callers: Callers;
let notificationId: string;

beforeAll(async () => {
  backends = await startBackends(['functions/notification-service']);
  table = `baton-${backends.stage}-notifications`;
  callers = await Callers.start('notification-service', {
    ...backends.environment,
    NOTIFICATIONS_TABLE: table,
  });
  const answer = await read(await callers.ask('operator', 'POST /notifications', mail));
  notificationId = answer['notificationId'] as string;
});
afterAll(async () => {
  await callers.stop();
  await backends.stop();
});

/** Writes the row of a delivered notification. Resolves to its id. */
async function delivered(): Promise<string> {
  const id = randomUUID();
  const place = { listedIn: 'notifications', listedFor: mail.recipient, listedAt: `2026#${id}` };
  const Item = { ...mail, ...place, notificationId: id, status: 'delivered', taskToken: 2 };
  await backends.documents.send(new PutCommand({ TableName: table, Item }));
  return id;
}

const row = async (id: string) =>
  (await backends.documents.send(new GetCommand({ TableName: table, Key: { notificationId: id } }))).Item ??
  {};

describe('who may do what with notifications', () => {
  // prettier-ignore
  test.each([
    // route                   what       no token, A,   B,   operator, no scopes, authentication off
    ['POST /notifications',    mail,      [401, 403, 403, 202,      403,       202]],
    ['GET /notifications',     undefined, [401, 403, 403, 200,      403,       200]],
    ['GET /notifications/ID',  undefined, [401, 403, 403, 200,      403,       200]],
  ] as const)('%s', async (route, body, statuses) => {
    await expect(callers.statuses(route.replace('ID', notificationId), body)).resolves.toEqual(statuses);
  });

  test('DELETE /notifications/ID', async () => {
    const answers: number[] = [];
    for (const caller of CALLERS) {
      const response = await callers.ask(caller, `DELETE /notifications/${await delivered()}`);
      answers.push(response.status);
    }
    expect(answers).toEqual([401, 403, 403, 204, 403, 204]);
  });
});

describe('a deleted notification', () => {
  test('leaves nothing of its recipient, and late messages bring nothing back', async () => {
    const id = await delivered();
    await callers.ask('operator', `DELETE /notifications/${id}`);
    const left = {
      notificationId: id,
      status: 'deleted',
      taskToken: 2,
      deletedAt: expect.any(String) as unknown,
      deletedBy: 'operator',
      expiresAt: expect.any(Number) as unknown,
    };
    await expect(row(id)).resolves.toEqual(left);
    const { documents } = backends;
    const store = new NotificationStore(documents, table, new Retention({ documents, days: 90 }));
    const end = { taskId: id, task: 'notifications.send', token: 2, attempts: 1, at: '2026' };
    await expect(store.recordEnd({ ...end, state: 'dead' })).resolves.toBe(false);
    await expect(store.recordEnd({ ...end, state: 'dead', token: 4 })).resolves.toBe(false);
    await store.open(id, { ...mail, channel: 'EMAIL' }, 3);
    await store.markDelivered(id, 'smtp');
    await expect(row(id)).resolves.toEqual(left);
    await expect(callers.statuses(`GET /notifications/${id}`)).resolves.toEqual([
      401, 403, 403, 404, 403, 404,
    ]);
    const { notifications } = await read(
      await callers.ask('operator', `GET /notifications?recipient=${mail.recipient}&limit=100`),
    );
    expect(JSON.stringify(notifications)).not.toContain(id);
  });

  test('has ended: one that waits is kept, 409', async () => {
    const response = await callers.ask('operator', `DELETE /notifications/${notificationId}`);
    expect(response.status).toBe(409);
    await expect(read(response)).resolves.toMatchObject({ type: 'urn:baton:problem:task-not-ended' });
    expect((await callers.ask('operator', `GET /notifications/${notificationId}`)).status).toBe(200);
  });
});

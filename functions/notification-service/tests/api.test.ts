import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Backends, startBackends } from 'baton-dev/testing/backends';
import { Inbox } from 'baton-dev/testing/inbox';
import { Program } from 'baton-dev/testing/program';
import { read, RunningService } from 'baton-dev/testing/service';

const mail = { channel: 'EMAIL', recipient: 'customer@example.com', subject: 'Hello', message: 'World' };

let backends: Backends;
let service: RunningService;
let url: string;

function environment(): Record<string, string> {
  return { ...backends.environment, NOTIFICATIONS_TABLE: `baton-${backends.stage}-notifications` };
}

beforeAll(async () => {
  backends = await startBackends(['functions/notification-service']);
  service = await RunningService.start('notification-service', environment());
  ({ url } = service);
});
afterAll(async () => {
  await service.program.stop();
  await backends.stop();
});

const post = (body: unknown, headers: Record<string, string> = {}) =>
  service.post('/notifications', body, headers);

/** A cursor with keys that the table would refuse. */
const EMPTY_CURSOR = Buffer.from('{"listedAt":"","notificationId":""}').toString('base64url');

describe('notification-service, with every other service stopped,', () => {
  test('accepts a notification: 202, its location, and its task in the queue under the same id', async () => {
    const response = await post(mail);
    expect(response.status).toBe(202);
    const answer = await read(response);
    expect(answer).toMatchObject({ taskId: answer['notificationId'], status: 'accepted' });
    const [task] = await new Inbox(backends.sqs).takeTasks(backends.queueUrls.of('notifications'), 2);
    expect(task).toMatchObject({
      taskId: answer['notificationId'],
      task: 'notifications.send',
      source: 'notification-service',
      data: mail,
    });
    const found = await fetch(url + String(response.headers.get('location')));
    await expect(read(found)).resolves.toMatchObject({
      ...mail,
      notificationId: answer['notificationId'],
      status: 'accepted',
    });
  });

  test('lists notifications newest first, all or those of one recipient', async () => {
    const recipient = 'listed@example.com';
    const posted: unknown[] = [];
    for (const to of [recipient, 'other@example.com', recipient]) {
      const { notificationId } = await read(await post({ ...mail, recipient: to }));
      posted.unshift(notificationId);
    }
    const idsAt = async (query: string): Promise<unknown[]> => {
      const { notifications } = await read(await fetch(`${url}/notifications?${query}`));
      return (notifications as { notificationId: string }[]).map(({ notificationId }) => notificationId);
    };
    await expect(idsAt('limit=3')).resolves.toEqual(posted);
    await expect(idsAt(`recipient=${recipient}`)).resolves.toEqual([posted[0], posted[2]]);
    const first = await read(await fetch(`${url}/notifications?recipient=${recipient}&limit=1`));
    await expect(idsAt(`recipient=${recipient}&cursor=${String(first['nextCursor'])}`)).resolves.toEqual([
      posted[2],
    ]);
  });

  test('answers the same key and body with the same notification, and refuses another body', async () => {
    const key = { 'idempotency-key': 'key-1' };
    const [first, second] = [await post(mail, key), await post(mail, key)];
    expect(await read(second)).toEqual(await read(first));
    expect((await post({ ...mail, message: 'other' }, key)).status).toBe(409);
  });

  test.each([
    ['not JSON', '{"channel"', {}, 400, 'invalid-json'],
    ['the wrong content type', mail, { 'content-type': 'application/xml' }, 415, 'unsupported-content-type'],
    ['a body over 256 KiB', { ...mail, message: 'm'.repeat(262_144) }, {}, 413, 'body-too-large'],
    ['a mail without a subject', { ...mail, subject: undefined }, {}, 400, 'invalid-request'],
    ['an unknown channel', { ...mail, channel: 'FAX' }, {}, 400, 'invalid-request'],
    ['a member that no notification has', { ...mail, colour: 'red' }, {}, 400, 'invalid-request'],
  ])('refuses %s', async (_what, body, headers, status, kind) => {
    const response = await post(body, headers);
    expect(response.status).toBe(status);
    await expect(read(response)).resolves.toMatchObject({ type: `urn:baton:problem:${kind}`, status });
  });

  test.each([
    ['GET', '/notifications/no-such', 404, 'not-found'],
    ['GET', '/notifications/a/b', 404, 'unknown-route'],
    ['PUT', '/notifications', 405, 'method-not-allowed'],
    ['GET', '/notifications?cursor=rubbish', 400, 'invalid-cursor'],
    ['GET', `/notifications?cursor=${EMPTY_CURSOR}`, 400, 'invalid-cursor'],
  ])('answers %s %s with %d %s', async (method, path, status, kind) => {
    const response = await fetch(url + path, { method });
    expect(response.status).toBe(status);
    await expect(read(response)).resolves.toMatchObject({ type: `urn:baton:problem:${kind}` });
  });

  test('answers 503 with Retry-After if SQS does not answer, and shows no notification', async () => {
    const dead = { ...environment(), AWS_ENDPOINT_URL_SQS: 'http://127.0.0.1:9' };
    const broken = await RunningService.start('notification-service', dead);
    const recipient = 'nobody@example.com';
    const response = await broken.post('/notifications', { ...mail, recipient });
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('5');
    const { notifications } = await read(await fetch(`${url}/notifications?recipient=${recipient}`));
    expect(notifications).toEqual([]);
    await broken.program.stop();
  });

  test('does not start without its table', async () => {
    const program = new Program('functions/notification-service/main.ts', { ...backends.environment });
    await expect(program.ended()).resolves.toBe(1);
    expect(program.output).toContain('NOTIFICATIONS_TABLE is not set');
  });
});

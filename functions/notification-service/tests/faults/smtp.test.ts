import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { DELIVERY, sendNotification } from '@baton/common/contracts/notifications';
import { eventually } from 'baton-dev/testing/eventually';
import { mail, MailFixture, RECIPIENT, serverAt, WRONG_PASSWORD } from '../mail-fixture.ts';

let fixture: MailFixture;
beforeEach(async () => {
  fixture = await MailFixture.start();
});
afterEach(() => fixture.stop());

describe('a mail', () => {
  test('arrives from the sender, with the id of its notification, and its task succeeds', async () => {
    const source = fixture.consumer();
    await fixture.sendMails(1);
    await expect(source.invoke(1)).resolves.toEqual({ received: 1, failed: 0 });
    expect(fixture.server.mails).toEqual([
      {
        to: [RECIPIENT],
        headers: expect.objectContaining({
          'message-id': '<n-0@shop.example>',
          from: 'The Shop <shop@shop.example>',
          to: RECIPIENT,
          subject: mail.subject,
        }) as unknown,
        body: expect.stringContaining('xxxx') as unknown,
      },
    ]);
    await expect(fixture.store.find('n-0')).resolves.toMatchObject({
      state: 'succeeded',
      attempts: 1,
      result: { notificationId: 'n-0', deliveredBy: 'smtp' },
    });
    await expect(fixture.notifications.find('n-0')).resolves.toMatchObject({
      status: 'delivered',
      deliveredBy: 'smtp',
    });
  });

  test.each([
    ['a&b@example.com', 'a&b@example.com'],
    ['ada@b\u00FCcher.example', 'ada@xn--bcher-kva.example'],
    ['ada@xn--e1afmkfd.xn--p1ai', 'ada@xn--e1afmkfd.xn--p1ai'],
    ['m\u00FCller@b\u00FCcher.example', 'm\u00FCller@b\u00FCcher.example'],
    ['\u7528\u6237@\u4F8B\u3048\u3002\u30C6\u30B9\u30C8', '\u7528\u6237@\u4F8B\u3048.\u30C6\u30B9\u30C8'],
    ['a@\u24D4xample.col\u00B7legi.cat', 'a@example.xn--collegi-xma.cat'],
  ])('arrives at %s, which is %s on its way', async (recipient, sent) => {
    const source = fixture.consumer();
    await fixture.sendMails(1, recipient);
    await expect(source.invoke(1)).resolves.toEqual({ received: 1, failed: 0 });
    expect(fixture.server.mails.map(({ headers }) => headers['to'])).toEqual([sent]);
    expect(fixture.said(recipient)).toBe(0);
  });

  test('is sent once, although its message arrives twice, at the same time and later', async () => {
    const source = fixture.consumer();
    await fixture.sendMails(1);
    await fixture.sendMails(1);
    await source.invoke(2);
    await source.redeliverFailed();
    await fixture.sendMails(1);
    await eventually('no message left', async () => (await source.invoke(1)).failed === 0);
    expect(fixture.server.mails).toHaveLength(1);
  });

  test('is not sent again if its row could not be marked afterwards', async () => {
    const source = fixture.consumer();
    const marking = jest
      .spyOn(fixture.notifications, 'markDelivered')
      .mockRejectedValueOnce(new Error('no table'));
    await fixture.sendMails(1);
    await expect(source.invoke(1)).resolves.toMatchObject({ failed: 1 });
    marking.mockRestore();
    await source.redeliverFailed();
    await expect(source.invoke(1)).resolves.toMatchObject({ failed: 0 });
    expect(fixture.server.mails).toHaveLength(1);
    await expect(fixture.notifications.find('n-0')).resolves.toMatchObject({
      status: 'delivered',
      deliveredBy: 'smtp',
    });
  });

  test('has the same Message-ID each time it is sent, and a valid one for every id', async () => {
    const channel = fixture.channel();
    const { signal } = new AbortController();
    const delivery = { notification: mail, createdAt: new Date().toISOString(), signal };
    for (const notificationId of ['a.b:c.', 'a.b:c.', 'a_b'])
      await channel.deliver({ ...delivery, notificationId });
    expect(fixture.server.mails.map(({ headers }) => headers['message-id'])).toEqual([
      '<a+b=c+@shop.example>',
      '<a+b=c+@shop.example>',
      '<a_b@shop.example>',
    ]);
  });

  test('goes over a kept connection, or over a new one if the server has closed that', async () => {
    const source = fixture.consumer();
    const ids = await fixture.sendMails(3);
    await source.invoke(1);
    await source.invoke(1);
    expect(fixture.server.connections).toBe(1);
    fixture.server.hangUp();
    await source.invoke(1);
    expect([fixture.server.connections, await fixture.attemptsOf(ids)]).toEqual([2, { 1: 3 }]);
  });

  test('goes over a new connection at once if the old one breaks as it begins', async () => {
    const source = fixture.consumer();
    fixture.server.mode = 'drop-second';
    const ids = await fixture.sendMails(2);
    await source.invoke(1);
    await source.invoke(1);
    expect([fixture.server.connections, await fixture.attemptsOf(ids)]).toEqual([2, { 1: 2 }]);
  });

  test('is the only kind of notification that goes to the SMTP server: others stay in the outbox', async () => {
    const source = fixture.consumer();
    for (const kind of ['SMS', 'PUSH'] as const)
      await fixture.tasks.send(
        sendNotification,
        { channel: kind, recipient: RECIPIENT, message: 'x' },
        { taskId: kind },
      );
    await source.invoke(2);
    expect(fixture.server.connections).toBe(0);
    for (const kind of ['SMS', 'PUSH'])
      await expect(fixture.notifications.find(kind)).resolves.toMatchObject({
        status: 'delivered',
        deliveredBy: 'outbox',
      });
  });
});

describe('a refusal', () => {
  test.each([
    [450, 'recipient'],
    [451, 'mail'],
    [452, 'mail'],
  ] as const)(
    'of %d to the %s is tried again by the retry policy, and counts as an attempt',
    async (reply, refuses) => {
      const source = fixture.consumer({ failures: 1 });
      Object.assign(fixture.server, { mode: reply, refuses });
      await fixture.sendMails(1);
      await expect(source.invoke(1)).resolves.toMatchObject({ failed: 1 });
      expect(fixture.waits[0]).toBeGreaterThanOrEqual(15);
      expect(fixture.waits[0]).toBeLessThanOrEqual(30);
      await expect(fixture.store.find('n-0')).resolves.toMatchObject({
        state: 'retrying',
        attempts: 1,
        error: {
          name: 'SmtpRefusalError',
          message: expect.stringContaining(`${reply} <(address)> not here`) as unknown,
        },
      });
      fixture.server.mode = 'accept';
      await source.redeliverFailed();
      await expect(source.invoke(1)).resolves.toMatchObject({ failed: 0 });
      expect(fixture.server.mails).toHaveLength(1);
      await expect(fixture.store.find('n-0')).resolves.toMatchObject({ state: 'succeeded', attempts: 2 });
    },
  );

  test.each([
    [550, 'recipient'],
    [552, 'mail'],
    [554, 'mail'],
  ] as const)(
    'of %d to the %s rejects it at once, with what the server said for operators alone',
    async (reply, refuses) => {
      const source = fixture.consumer({ failures: 1 });
      Object.assign(fixture.server, { mode: reply, refuses });
      await fixture.sendMails(1);
      await expect(source.invoke(1)).resolves.toMatchObject({ failed: 0 });
      const [letter] = await source.deadLetters();
      expect(letter?.MessageAttributes?.['baton.reason']?.StringValue).toBe('rejected');
      expect(letter?.MessageAttributes?.['baton.details']?.StringValue).toContain(
        `${reply} <(address)> not here`,
      );
      await expect(fixture.store.find('n-0')).resolves.toMatchObject({
        state: 'failed',
        attempts: 1,
        error: { name: 'RejectTask', message: `The SMTP server refuses the mail (${reply})` },
      });
      // The server answers, so the next mail goes out
      fixture.server.mode = 'accept';
      await fixture.tasks.send(sendNotification, mail, { taskId: 'next' });
      await expect(source.invoke(1)).resolves.toMatchObject({ failed: 0 });
      expect(fixture.server.mails).toHaveLength(1);
    },
  );

  test.each([
    [421, 'recipient'],
    [421, 'mail'],
    [503, 'recipient'],
    [503, 'mail'],
  ] as const)('of %d to the %s is of the session: the server is away', async (reply, refuses) => {
    const source = fixture.consumer({ failures: 1 });
    Object.assign(fixture.server, { mode: reply, refuses });
    await fixture.sendMails(1);
    await source.invoke(1);
    expect(fixture.said('is away: it is not called')).toBe(1);
    await expect(fixture.store.find('n-0')).resolves.toMatchObject({ state: 'queued', attempts: 0 });
  });

  test('of a login keeps the mail waiting until somebody has corrected the password', async () => {
    const source = fixture.consumer(
      { failures: 1 },
      serverAt(fixture.server.url.replace('//', `//shop:${WRONG_PASSWORD}@`)),
    );
    await fixture.sendMails(1);
    await source.invoke(1);
    await expect(fixture.store.find('n-0')).resolves.toMatchObject({ state: 'queued', attempts: 0 });
    await expect(source.deadLetters()).resolves.toEqual([]);
  });
});

describe('a mail whose task is cancelled', () => {
  test('while its server has it and does not answer is delivered, however late the answer comes', async () => {
    const source = fixture.consumer();
    const answer = Promise.withResolvers<void>();
    fixture.server.answersAfter = answer.promise;
    const [taskId = ''] = await fixture.sendMails(1);
    const invoked = source.invoke(1);
    await eventually('the mail at its server', () => fixture.server.mails.length === 1);
    await fixture.store.cancel(taskId);
    await fixture.cancellationNoticed();
    answer.resolve();
    await expect(invoked).resolves.toEqual({ received: 1, failed: 0 });
    await expect(fixture.store.read(taskId)).resolves.toMatchObject({
      state: 'cancelled',
      effects: { [DELIVERY]: '"smtp"' },
    });
    expect(fixture.server.mails).toHaveLength(1);
  });
});

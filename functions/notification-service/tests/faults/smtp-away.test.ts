import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { eventually } from 'baton-dev/testing/eventually';
import { MailServer, type MailServerMode } from '@baton/tests/mail-server';
import type { SmtpPatience } from '../../smtp-channel.ts';
import { mail, MailHouse } from '../mail-house.ts';

let house: MailHouse;
beforeEach(async () => {
  house = await MailHouse.start();
});
afterEach(() => house.stop());

describe('a server that', () => {
  const QUICK_TO_CONNECT = { connectTimeoutMs: 1000 };
  const QUICK_TO_ANSWER = { answerTimeoutMs: 1000 };

  test.each<[MailServerMode | 'gone', string, Partial<SmtpPatience>]>([
    ['gone', 'ECONNREFUSED', {}],
    ['hang-up', 'ECONNECTION', {}],
    ['hang-at-greeting', 'Greeting never received', QUICK_TO_CONNECT],
    ['hang-in-data', 'Timeout (ETIMEDOUT)', QUICK_TO_ANSWER],
    ['drop-in-data', 'ECONNECTION', {}],
  ])(
    'is in the state %s has the mail tried again, which arrives once it is back',
    async (mode, says, patience) => {
      const source = house.consumer(patience);
      const { port } = house.server;
      if (mode === 'gone') await house.server.stop();
      else house.server.mode = mode;
      await house.sendMails(1);
      await expect(source.invoke(1)).resolves.toMatchObject({ failed: 1 });
      expect(house.rests[0]).toBeGreaterThanOrEqual(15);
      await expect(house.store.find('n-0')).resolves.toMatchObject({
        state: 'retrying',
        attempts: 1,
        error: { name: 'SmtpAwayError', message: expect.stringContaining(says) as unknown },
      });
      if (mode === 'gone') house.server = await MailServer.start(port);
      else house.server.mode = 'accept';
      await source.redeliverFailed();
      await expect(source.invoke(1)).resolves.toMatchObject({ failed: 0 });
      expect(house.server.mails).toHaveLength(1);
      await expect(house.store.find('n-0')).resolves.toMatchObject({ state: 'succeeded', attempts: 2 });
    },
  );

  test.each<MailServerMode>(['hang-at-greeting', 'hang-in-data'])(
    'hangs (%s) is let go when the task has no more time, and the connection with it',
    async (mode) => {
      const source = house.consumer();
      house.server.mode = mode;
      await house.sendMails(1);
      const startedAtMs = performance.now();
      await expect(source.invoke(1, 3000)).resolves.toMatchObject({ failed: 1 });
      expect(performance.now() - startedAtMs).toBeLessThan(1500);
      await eventually(
        'no connection',
        () => house.server.connections === 1 && house.server.open === 0,
        2000,
      );
      await expect(house.store.find('n-0')).resolves.toMatchObject({ state: 'queued', attempts: 0 });
      expect(house.said('ignores its signal')).toBe(0);
    },
  );

  test('answers too slowly in all is away, though no single answer was late', async () => {
    const source = house.consumer({ sendTimeoutMs: 400, failures: 1 });
    house.server.mode = 'hang-in-data';
    await house.sendMails(1);
    await source.invoke(1);
    expect(house.said('No mail within 400 ms')).toBeGreaterThan(0);
    await expect(house.store.find('n-0')).resolves.toMatchObject({ state: 'queued', attempts: 0 });
  });

  test('is away is called no more: its mails wait without attempts, one probes, and all arrive when it is back', async () => {
    let laterMs = 0;
    const now = Date.now.bind(Date);
    const elapsed = performance.now.bind(performance);
    const clocks = [
      jest.spyOn(Date, 'now').mockImplementation(() => now() + laterMs),
      jest.spyOn(performance, 'now').mockImplementation(() => elapsed() + laterMs),
    ];
    const source = house.consumer(QUICK_TO_CONNECT);
    house.server.mode = 'hang-at-greeting';
    const ids = await house.sendMails(10);
    await expect(source.invoke(10)).resolves.toMatchObject({ failed: 10 });
    // Five go out together; what fails before the third counts, and lets another go
    const calls = house.server.connections;
    const attempts = await house.attemptsOf(ids);
    expect(calls).toBeLessThanOrEqual(7);
    expect(attempts[0]).toBeGreaterThanOrEqual(8);
    expect(house.rests.filter((seconds) => seconds > 30 && seconds <= 45)).toHaveLength(attempts[0] ?? 0);

    await source.redeliverFailed();
    await expect(source.invoke(10)).resolves.toMatchObject({ failed: 10 });
    expect([house.server.connections, await house.attemptsOf(ids)]).toEqual([calls, attempts]);

    laterMs += 31_000;
    await source.redeliverFailed();
    await expect(source.invoke(10)).resolves.toMatchObject({ failed: 10 });
    expect([house.server.connections, await house.attemptsOf(ids)]).toEqual([calls + 1, attempts]);

    laterMs += 31_000;
    house.server.mode = 'accept';
    await eventually('all to arrive', async () => {
      await source.redeliverFailed();
      return (await source.invoke(10 - house.server.mails.length)).failed === 0;
    });
    for (const clock of clocks) clock.mockRestore();
    const arrived = house.server.mails.map(({ headers }) => headers['message-id']);
    expect(arrived).toHaveLength(10);
    expect(new Set(arrived)).toEqual(new Set(ids.map((id) => `<${id}@shop.example>`)));
    const { 0: waited = 0, 1: failedOnce } = attempts;
    expect(await house.attemptsOf(ids)).toEqual({ 1: waited, ...(failedOnce && { 2: failedOnce }) });
    const lines = ['it is not called', 'is probed', 'is back'].map((text) => house.said(text));
    expect(lines).toEqual([2, 2, 1]);
  });

  test('refuses a mail is there, so that what failed before it counts no more', async () => {
    const channel = house.channel({ failures: 2 });
    const { signal } = new AbortController();
    const delivery = { notification: mail, createdAt: new Date().toISOString(), signal };
    const names: unknown[] = [];
    for (const mode of ['hang-up', 450, 'hang-up', 'hang-up'] as const) {
      house.server.mode = mode;
      house.server.hangUp();
      const failed = channel.deliver({ ...delivery, notificationId: 'n-1' });
      names.push(await failed.catch((error: Error) => error.name));
    }
    expect(names).toEqual(['SmtpAwayError', 'SmtpRefusalError', 'SmtpAwayError', 'PostponeTask']);
  });

  test('is away is no closer to being back because a probe was broken off', async () => {
    const source = house.consumer({ failures: 1, probeAfterMs: 100 });
    house.server.mode = 'hang-up';
    await house.sendMails(1);
    await source.invoke(1);
    house.server.mode = 'hang-at-greeting';
    await eventually('a probe', async () => {
      await source.redeliverFailed();
      // Sooner over than the server's time to greet
      await source.invoke(1, 3100);
      return house.said('is probed') === 1;
    });
    expect([house.said('it is not called'), house.said('is back')]).toEqual([2, 0]);
  });

  test.each([
    [1, 30, 45],
    [600, 150, 225],
    [86_400, 900, 1350],
  ])('is away has a mail of %d s rest for %d to %d s', async (ageSeconds, least, most) => {
    const channel = house.channel({ failures: 1 });
    house.server.mode = 'hang-up';
    const createdAt = new Date(Date.now() - ageSeconds * 1000).toISOString();
    const { signal } = new AbortController();
    const postponed = channel.deliver({ notificationId: 'n-1', notification: mail, createdAt, signal });
    const { delaySeconds } = (await postponed.catch((error: unknown) => error)) as { delaySeconds: number };
    expect(delaySeconds).toBeGreaterThanOrEqual(least);
    expect(delaySeconds).toBeLessThanOrEqual(most);
  });
});

test('more mails than connections wait in line, and too many or too long ones are put off', async () => {
  const channel = house.channel({
    lineTimeoutMs: 200,
    sendTimeoutMs: 500,
    connectTimeoutMs: 10_000,
    failures: 1000,
  });
  house.server.mode = 'hang-at-greeting';
  const { signal } = new AbortController();
  const delivery = { notification: mail, createdAt: new Date().toISOString(), signal };
  const outcomes = Array.from({ length: 106 }, (_, index) =>
    channel.deliver({ ...delivery, notificationId: `n-${index}` }).catch((error: Error) => error.name),
  );
  await expect(outcomes.at(-1)).resolves.toBe('PostponeTask');
  const names = await Promise.all(outcomes);
  expect(names.filter((name) => name === 'SmtpAwayError')).toHaveLength(5);
  expect(names.filter((name) => name === 'PostponeTask')).toHaveLength(101);
  expect(house.server.connections).toBe(5);
});

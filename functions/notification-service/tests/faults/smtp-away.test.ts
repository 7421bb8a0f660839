import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { eventually } from 'baton-dev/testing/eventually';
import { MailServer, type MailServerMode } from '../mail-server.ts';
import type { SmtpPatience } from '../../smtp-channel.ts';
import { mail, MailFixture } from '../mail-fixture.ts';

let fixture: MailFixture;
beforeEach(async () => {
  fixture = await MailFixture.start();
});
afterEach(() => fixture.stop());

describe('a server', () => {
  const QUICK_TO_CONNECT = { connectTimeoutMs: 1000 };
  const QUICK_TO_ANSWER = { answerTimeoutMs: 1000 };

  test.each<[MailServerMode | 'gone', string, Partial<SmtpPatience>]>([
    ['gone', 'ECONNREFUSED', {}],
    ['hang-up', 'ECONNECTION', {}],
    ['hang-at-greeting', 'Greeting never received', QUICK_TO_CONNECT],
    ['hang-in-data', 'Timeout (ETIMEDOUT)', QUICK_TO_ANSWER],
    ['drop-in-data', 'ECONNECTION', {}],
  ])(
    'that is %s does not lose the mail: it is tried again, and arrives once the server is back',
    async (mode, says, patience) => {
      const source = fixture.consumer(patience);
      const { port } = fixture.server;
      if (mode === 'gone') await fixture.server.stop();
      else fixture.server.mode = mode;
      await fixture.sendMails(1);
      await expect(source.invoke(1)).resolves.toMatchObject({ failed: 1 });
      expect(fixture.waits[0]).toBeGreaterThanOrEqual(15);
      await expect(fixture.store.find('n-0')).resolves.toMatchObject({
        state: 'retrying',
        attempts: 1,
        error: { name: 'SmtpAwayError', message: expect.stringContaining(says) as unknown },
      });
      if (mode === 'gone') fixture.server = await MailServer.start(port);
      else fixture.server.mode = 'accept';
      await source.redeliverFailed();
      await expect(source.invoke(1)).resolves.toMatchObject({ failed: 0 });
      expect(fixture.server.mails).toHaveLength(1);
      await expect(fixture.store.find('n-0')).resolves.toMatchObject({ state: 'succeeded', attempts: 2 });
    },
  );

  test.each<MailServerMode>(['hang-at-greeting', 'hang-in-data'])(
    'that hangs (%s) loses its connection when the time of the task is up',
    async (mode) => {
      const source = fixture.consumer();
      fixture.server.mode = mode;
      await fixture.sendMails(1);
      const startedAtMs = performance.now();
      await expect(source.invoke(1, 3000)).resolves.toMatchObject({ failed: 1 });
      expect(performance.now() - startedAtMs).toBeLessThan(1500);
      await eventually(
        'no connection',
        () => fixture.server.connections === 1 && fixture.server.open === 0,
        2000,
      );
      await expect(fixture.store.find('n-0')).resolves.toMatchObject({ state: 'queued', attempts: 0 });
      expect(fixture.said('ignores its signal')).toBe(0);
    },
  );

  test('that takes too long for a whole mail is away, even if no single answer was late', async () => {
    const source = fixture.consumer({ sendTimeoutMs: 400, failures: 1 });
    fixture.server.mode = 'hang-in-data';
    await fixture.sendMails(1);
    await source.invoke(1);
    expect(fixture.said('No mail within 400 ms')).toBeGreaterThan(0);
    await expect(fixture.store.find('n-0')).resolves.toMatchObject({ state: 'queued', attempts: 0 });
  });

  test('that is away is not called: its mails wait without using attempts, one probes, and all arrive when it is back', async () => {
    let laterMs = 0;
    const now = Date.now.bind(Date);
    const elapsed = performance.now.bind(performance);
    const clocks = [
      jest.spyOn(Date, 'now').mockImplementation(() => now() + laterMs),
      jest.spyOn(performance, 'now').mockImplementation(() => elapsed() + laterMs),
    ];
    const source = fixture.consumer(QUICK_TO_CONNECT);
    fixture.server.mode = 'hang-at-greeting';
    const ids = await fixture.sendMails(10);
    await expect(source.invoke(10)).resolves.toMatchObject({ failed: 10 });
    // Five go out together; each that fails before the third lets another go
    const calls = fixture.server.connections;
    const attempts = await fixture.attemptsOf(ids);
    expect(calls).toBeLessThanOrEqual(7);
    expect(attempts[0]).toBeGreaterThanOrEqual(8);
    expect(fixture.waits.filter((seconds) => seconds > 30 && seconds <= 45)).toHaveLength(attempts[0] ?? 0);

    await source.redeliverFailed();
    await expect(source.invoke(10)).resolves.toMatchObject({ failed: 10 });
    expect([fixture.server.connections, await fixture.attemptsOf(ids)]).toEqual([calls, attempts]);

    laterMs += 31_000;
    await source.redeliverFailed();
    await expect(source.invoke(10)).resolves.toMatchObject({ failed: 10 });
    expect([fixture.server.connections, await fixture.attemptsOf(ids)]).toEqual([calls + 1, attempts]);

    laterMs += 31_000;
    fixture.server.mode = 'accept';
    await eventually('all to arrive', async () => {
      await source.redeliverFailed();
      return (await source.invoke(10 - fixture.server.mails.length)).failed === 0;
    });
    for (const clock of clocks) clock.mockRestore();
    const arrived = fixture.server.mails.map(({ headers }) => headers['message-id']);
    expect(arrived).toHaveLength(10);
    expect(new Set(arrived)).toEqual(new Set(ids.map((id) => `<${id}@shop.example>`)));
    const { 0: waited = 0, 1: failedOnce } = attempts;
    expect(await fixture.attemptsOf(ids)).toEqual({ 1: waited, ...(failedOnce && { 2: failedOnce }) });
    const lines = ['it is not called', 'is probed', 'is back'].map((text) => fixture.said(text));
    expect(lines).toEqual([2, 2, 1]);
  });

  test('that refuses a mail is not away, so earlier failures no longer count', async () => {
    const channel = fixture.channel({ failures: 2 });
    const { signal } = new AbortController();
    const delivery = { notification: mail, createdAt: new Date().toISOString(), signal };
    const names: unknown[] = [];
    for (const mode of ['hang-up', 450, 'hang-up', 'hang-up'] as const) {
      fixture.server.mode = mode;
      fixture.server.hangUp();
      const failed = channel.deliver({ ...delivery, notificationId: 'n-1' });
      names.push(await failed.catch((error: Error) => error.name));
    }
    expect(names).toEqual(['SmtpAwayError', 'SmtpRefusalError', 'SmtpAwayError', 'PostponeTask']);
  });

  test('that is away stays away when a probe is aborted', async () => {
    const source = fixture.consumer({ failures: 1, probeAfterMs: 100 });
    fixture.server.mode = 'hang-up';
    await fixture.sendMails(1);
    await source.invoke(1);
    fixture.server.mode = 'hang-at-greeting';
    await eventually('a probe', async () => {
      await source.redeliverFailed();
      // Ends before the server's greeting
      await source.invoke(1, 3100);
      return fixture.said('is probed') === 1;
    });
    expect([fixture.said('it is not called'), fixture.said('is back')]).toEqual([2, 0]);
  });

  test.each([
    [1, 30, 45],
    [600, 150, 225],
    [86_400, 900, 1350],
  ])('is away has a mail of %d s rest for %d to %d s', async (ageSeconds, least, most) => {
    const channel = fixture.channel({ failures: 1 });
    fixture.server.mode = 'hang-up';
    const createdAt = new Date(Date.now() - ageSeconds * 1000).toISOString();
    const { signal } = new AbortController();
    const postponed = channel.deliver({ notificationId: 'n-1', notification: mail, createdAt, signal });
    const { delaySeconds } = (await postponed.catch((error: unknown) => error)) as { delaySeconds: number };
    expect(delaySeconds).toBeGreaterThanOrEqual(least);
    expect(delaySeconds).toBeLessThanOrEqual(most);
  });
});

test('mails wait for a connection, and are postponed if too many wait or they wait too long', async () => {
  const channel = fixture.channel({
    queueTimeoutMs: 200,
    sendTimeoutMs: 500,
    connectTimeoutMs: 10_000,
    failures: 1000,
  });
  fixture.server.mode = 'hang-at-greeting';
  const { signal } = new AbortController();
  const delivery = { notification: mail, createdAt: new Date().toISOString(), signal };
  const outcomes = Array.from({ length: 106 }, (_, index) =>
    channel.deliver({ ...delivery, notificationId: `n-${index}` }).catch((error: Error) => error.name),
  );
  await expect(outcomes.at(-1)).resolves.toBe('PostponeTask');
  const names = await Promise.all(outcomes);
  expect(names.filter((name) => name === 'SmtpAwayError')).toHaveLength(5);
  expect(names.filter((name) => name === 'PostponeTask')).toHaveLength(101);
  expect(fixture.server.connections).toBe(5);
});

import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createLogger } from 'baton-tasks/service';
import { messageForCallers } from 'baton-tasks';
import { failureOf } from '../smtp-failure.ts';
import { SmtpChannel } from '../smtp-channel.ts';
import { mail, serverAt } from './mail-fixture.ts';

/** Below the limit of nodemailer for one reply, which is 1 MB. */
const REPLY_CHARACTERS = 900_000;
const MOST_MS = 500;

function timed<Value>(run: () => Value): { readonly value: Value; readonly tookMs: number } {
  // The time of the processor, because others may use it too
  const before = process.cpuUsage();
  return { value: run(), tookMs: process.cpuUsage(before).user / 1000 };
}

function refusal(message: string): Error {
  return Object.assign(new Error(message), { code: 'EENVELOPE', responseCode: 450 });
}

describe('the failure of a send', () => {
  test.each([
    ['one word', 'a'.repeat(REPLY_CHARACTERS)],
    ['at signs', 'a@'.repeat(REPLY_CHARACTERS / 2)],
    ['addresses', 'customer@example.com '.repeat(REPLY_CHARACTERS / 21)],
    ['spaces', ' '.repeat(REPLY_CHARACTERS)],
  ])('is read at once and short, even if the reply of the server is a megabyte of %s', (_, reply) => {
    const { value, tookMs } = timed(() => failureOf(refusal(`450 ${reply}`)));
    expect(tookMs).toBeLessThan(MOST_MS);
    expect(value.message.length).toBeLessThanOrEqual(300);
    expect(value.message).not.toContain('customer@example.com');
  });

  test.each(
    ['EENVELOPE', 'EMESSAGE', 'EAUTH', 'ECONNECTION', 'EDNS', ''].flatMap((code) =>
      [0, 421, 450, 503, 535, 550, 554].map((responseCode) => [code, responseCode] as const),
    ),
  )('shows callers no word of the server: %s, %d', (code, responseCode) => {
    const reply = `${responseCode} 5.7.1 rejected by mx7.corp.internal 10.1.2.3 (policy secret-rule-17)`;
    const failure = failureOf(Object.assign(new Error(reply), { code, responseCode }));
    expect(messageForCallers(failure, 'The notification could not be sent')).not.toMatch(
      /mx7|10\.1|policy|5\.7/,
    );
    // Operators need it: the log and the dead letter have an error with its causes
    expect(`${failure.message} ${(failure.cause as Error | undefined)?.message}`).toContain(
      'mx7.corp.internal',
    );
  });

  test('names no address', () => {
    const said = failureOf(refusal('450 <customer@example.com> and <a.b+c@x.example>: try later')).message;
    expect(said).toBe('450 <(address)> and <(address)>: try later');
  });
});

describe('an SMTP server whose reply is one long line', () => {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.write('220 hello\r\n');
    socket.on('data', (chunk) => {
      const reply = /^(MAIL|RCPT)/.test(chunk.toString()) ? `450 ${'a'.repeat(REPLY_CHARACTERS)}` : '250 ok';
      socket.write(`${reply}\r\n`);
    });
  });

  beforeEach(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(() => {
    server.close();
  });

  test('does not stop the process', async () => {
    const { port } = server.address() as AddressInfo;
    const channel = new SmtpChannel({
      server: serverAt(`smtp://127.0.0.1:${port}`),
      from: { name: '', address: 'shop@shop.example', domain: 'shop.example' },
      logger: createLogger({ service: 'tests', to: { write: () => undefined } }),
    });
    const before = process.cpuUsage();
    const { signal } = new AbortController();
    const delivery = {
      notificationId: 'n-1',
      notification: mail,
      createdAt: new Date().toISOString(),
      signal,
    };
    await expect(channel.deliver(delivery)).rejects.toThrow(/^.{1,300}$/);
    channel.close();
    // Minutes, when a regular expression looked at the whole reply
    expect(process.cpuUsage(before).user / 1000).toBeLessThan(5000);
  });
});

import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { createLogger } from 'baton-tasks/service';
import { SmtpChannel } from '../smtp-channel.ts';
import { smtpServer } from '../smtp-url.ts';
import { mail, serverAt } from './mail-fixture.ts';

/** This machine by an address that does not look like it. */
const NOT_LOOPBACK = '[::ffff:127.0.0.1]';

describe('an SMTP server', () => {
  test.each([
    ['smtp://me:secret@mail.example.com:587', 'required', true],
    ['smtp://me:secret@127.0.0.1.example.com', 'required', true],
    ['smtp://me:secret@127.0.0.1@mail.example.com', 'required', true],
    ['smtps://me:secret@mail.example.com', 'required', true],
    ['smtp://me:secret@mail.example.com', 'optional', false],
    ['smtp://mail.example.com', 'required', false],
    ['smtp://me:secret@localhost:1025', 'required', false],
    ['smtp://me:secret@127.0.0.1', 'required', false],
    ['smtp://me:secret@[::1]:1025', 'required', false],
  ] as const)('%s with TLS %s: requireTLS is %s', (url, tls, requireTLS) => {
    expect(smtpServer(url, tls).requireTLS).toBe(requireTLS);
  });

  test.each(['ignoreTLS=true', 'requireTLS=false', 'tls.rejectUnauthorized=false', 'opportunisticTLS=true'])(
    'of a password cannot be told %s by its URL',
    (option) => {
      const { url } = smtpServer(`smtp://me:secret@mail.example.com/?name=here&${option}`, 'required');
      expect(url).toBe('smtp://me:secret@mail.example.com/?name=here');
    },
  );
});

describe('a password', () => {
  /** Tries to send a mail to a server without TLS. Resolves to what the server heard. */
  async function heard(tls: 'required' | 'optional', query = ''): Promise<string> {
    let text = '';
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.write('220 hello\r\n');
      socket.on('data', (chunk) => {
        text += chunk.toString();
        socket.write(chunk.toString().startsWith('EHLO') ? '250-hello\r\n250 AUTH PLAIN\r\n' : '535 no\r\n');
      });
    }).listen(0);
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const channel = new SmtpChannel({
      server: serverAt(`smtp://me:secret@${NOT_LOOPBACK}:${port}/${query}`),
      tls,
      from: { name: '', address: 'shop@shop.example', domain: 'shop.example' },
      logger: createLogger({ service: 'tests', level: 'silent' }),
    });
    const { signal } = new AbortController();
    const delivery = {
      notificationId: 'n-1',
      notification: mail,
      createdAt: new Date().toISOString(),
      signal,
    };
    await expect(channel.deliver(delivery)).rejects.toThrow(/\((?:ETLS|EAUTH)\)/);
    channel.close();
    server.close();
    return text;
  }

  test.each(['', '?ignoreTLS=true', '?requireTLS=false'])(
    'is not sent to another machine that offers no TLS, with the options %j',
    async (query) => {
      const said = await heard('required', query);
      expect(said).toMatch(/^EHLO/);
      expect(said).not.toMatch(/AUTH/);
    },
  );

  test('is sent there if the configuration says so', async () => {
    await expect(heard('optional')).resolves.toMatch(/AUTH PLAIN/);
  });
});

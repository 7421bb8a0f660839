import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';

/** A mail that arrived. */
export interface ArrivedMail {
  readonly to: string;
  readonly subject: string;
  /** Without its angle brackets. */
  readonly messageId: string;
}

/** An SMTP server for the demo: accepts every mail, and delivers none. */
export interface MailServer {
  /** For SMTP_URL. */
  readonly url: string;
  readonly mails: readonly ArrivedMail[];
  stop(): Promise<void>;
}

/** Starts one at a free port of 127.0.0.1. */
export async function startMailServer(): Promise<MailServer> {
  const mails: ArrivedMail[] = [];
  const server = new SMTPServer({
    // It has no certificate, and no users
    disabledCommands: ['STARTTLS', 'AUTH'],
    disableReverseLookup: true,
    closeTimeout: 100,
    onData: (stream, { envelope }, done) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.once('end', () => {
        const [head = ''] = Buffer.concat(chunks).toString().split('\r\n\r\n');
        mails.push({
          to: envelope.rcptTo.map(({ address }) => address).join(', '),
          subject: fieldOf(head, 'Subject'),
          messageId: fieldOf(head, 'Message-ID').replaceAll(/[<>]/g, ''),
        });
        done();
      });
    },
  });
  server.on('error', (error: Error) => process.stderr.write(`The demo's SMTP server: ${error.message}\n`));
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  const { port } = server.server.address() as AddressInfo;
  const { promise: stopped, resolve } = Promise.withResolvers<void>();
  return {
    url: `smtp://127.0.0.1:${port}`,
    mails,
    stop: () => {
      server.close(() => resolve());
      return stopped;
    },
  };
}

/** Reads a header field; its lines may be folded. */
function fieldOf(head: string, name: string): string {
  const unfolded = head.replaceAll(/\r\n[ \t]+/g, ' ');
  return new RegExp(`^${name}: *(.*)$`, 'im').exec(unfolded)?.[1] ?? '';
}

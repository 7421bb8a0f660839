import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { SMTPServer, type SMTPServerSession } from 'smtp-server';

/**
 * How an SMTP server treats those that come: `accept` takes their mails, `hang-up` closes connections at once,
 * `hang-at-greeting` accepts them and says nothing, `hang-in-data` reads the beginning of a mail and nothing more, and
 * `drop-in-data` breaks the connection there, `drop-second` where a second mail begins over the same one. A number is the
 * reply to each recipient, or to each mail (`refuses`).
 */
export type MailServerMode =
  'accept' | 'hang-up' | 'hang-at-greeting' | 'hang-in-data' | 'drop-in-data' | 'drop-second' | number;

/** A mail that arrived. */
export interface ArrivedMail {
  readonly to: readonly string[];
  /** Header fields by their names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A real SMTP server, which can be made to misbehave. */
export class MailServer {
  mode: MailServerMode = 'accept';
  /** What a number as mode refuses. */
  refuses: 'recipient' | 'mail' = 'recipient';
  /** A mail that has arrived is answered after this. */
  answersAfter: Promise<unknown> = Promise.resolve();
  readonly mails: ArrivedMail[] = [];
  /** How many connections were made. */
  connections = 0;
  readonly port: number;
  readonly #server: SMTPServer;
  readonly #sockets: Map<number, Socket>;

  private constructor(port: number, server: SMTPServer, sockets: Map<number, Socket>) {
    this.port = port;
    this.#server = server;
    this.#sockets = sockets;
  }

  /** Starts one at 127.0.0.1; at the port of one that was stopped, if that is given. */
  static async start(at = 0): Promise<MailServer> {
    const sockets = new Map<number, Socket>();
    const server: SMTPServer = new SMTPServer({
      disabledCommands: ['STARTTLS'],
      authOptional: true,
      allowInsecureAuth: true,
      disableReverseLookup: true,
      closeTimeout: 1,
      onAuth: ({ username, password }, _session, done) =>
        password === 'right' ? done(null, { user: username }) : done(new Error('Wrong password')),
      onConnect: (_session, done) => {
        if (started.mode !== 'hang-at-greeting') done();
      },
      onMailFrom: (_sender, { transaction, remotePort }, done) => {
        if (started.mode === 'drop-second' && transaction > 1) sockets.get(remotePort)?.destroy();
        else done();
      },
      onRcptTo: ({ address }, _session, done) => done(started.#refusal('recipient', address)),
      onData: (stream, session, done) => {
        if (started.mode === 'hang-in-data') return void stream.once('data', () => stream.pause());
        if (started.mode === 'drop-in-data')
          return void stream.once('data', () => sockets.get(session.remotePort)?.destroy());
        const chunks: Buffer[] = [];
        stream.on('data', (chunk: Buffer) => chunks.push(chunk));
        stream.once('end', () => {
          const refusal = started.#refusal('mail', session.envelope.rcptTo[0]?.address ?? '');
          if (!refusal) started.#take(session, Buffer.concat(chunks).toString());
          const answer = async (): Promise<void> => {
            await started.answersAfter;
            done(refusal);
          };
          void answer();
        });
      },
    });
    // A connection that breaks off is what is tested here
    server.on('error', () => undefined);
    server.server.on('connection', (socket: Socket) => {
      started.connections += 1;
      if (started.mode === 'hang-up') socket.destroy();
      const { remotePort = 0 } = socket;
      sockets.set(remotePort, socket);
      socket.once('close', () => sockets.delete(remotePort));
    });
    server.listen(at, '127.0.0.1');
    await once(server.server, 'listening');
    const { port } = server.server.address() as AddressInfo;
    const started = new MailServer(port, server, sockets);
    return started;
  }

  get url(): string {
    return `smtp://127.0.0.1:${this.port}`;
  }

  /** How many connections are open. */
  get open(): number {
    return this.#sockets.size;
  }

  /** Breaks every connection that is open. */
  hangUp(): void {
    for (const socket of this.#sockets.values()) socket.destroy();
  }

  /** Breaks every connection and listens no more. */
  async stop(): Promise<void> {
    const stopped = Promise.withResolvers<void>();
    this.#server.close(() => stopped.resolve());
    this.hangUp();
    await stopped.promise;
  }

  #refusal(of: 'recipient' | 'mail', address: string): Error | null {
    if (typeof this.mode !== 'number' || this.refuses !== of) return null;
    return Object.assign(new Error(`<${address}> not here`), { responseCode: this.mode });
  }

  #take({ envelope }: SMTPServerSession, raw: string): void {
    const [head = '', ...body] = raw.split('\r\n\r\n');
    const fields = head.replaceAll(/\r\n[ \t]+/g, ' ').split('\r\n');
    const headers = fields.map((field) => {
      const [, name = '', value = ''] = /^([^:]+): ?(.*)$/.exec(field) ?? [];
      return [name.toLowerCase(), value];
    });
    this.mails.push({
      to: envelope.rcptTo.map(({ address }) => address),
      headers: Object.fromEntries(headers) as Record<string, string>,
      body: body.join('\r\n\r\n').trimEnd(),
    });
  }
}

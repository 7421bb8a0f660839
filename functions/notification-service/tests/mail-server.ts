import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { SMTPServer, type SMTPServerSession } from 'smtp-server';

/**
 * The behaviour of the SMTP server.
 *
 * - `accept` accepts all mails.
 * - `hang-up` closes connections at once.
 * - `hang-at-greeting` accepts connections, but sends no greeting.
 * - `hang-in-data` reads only the start of a mail.
 * - `drop-in-data` breaks the connection at the start of a mail.
 * - `drop-second` breaks the connection if it is used for a second mail.
 * - A number is the reply code to each recipient, or to each mail (`refuses`).
 */
export type MailServerMode =
  'accept' | 'hang-up' | 'hang-at-greeting' | 'hang-in-data' | 'drop-in-data' | 'drop-second' | number;

/** A mail that arrived. */
export interface ArrivedMail {
  readonly to: readonly string[];
  /** Header fields by name, in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A real SMTP server that can misbehave. */
export class MailServer {
  mode: MailServerMode = 'accept';
  /** The password that it takes, from every user. */
  password = 'right';
  /** What the server refuses if `mode` is a number. */
  refuses: 'recipient' | 'mail' = 'recipient';
  /** The server replies to a mail after this promise. */
  answersAfter: Promise<unknown> = Promise.resolve();
  readonly mails: ArrivedMail[] = [];
  /** The number of connections so far. */
  connections = 0;
  readonly port: number;
  readonly #server: SMTPServer;
  readonly #sockets: Map<number, Socket>;

  private constructor(port: number, server: SMTPServer, sockets: Map<number, Socket>) {
    this.port = port;
    this.#server = server;
    this.#sockets = sockets;
  }

  /** Starts a server at 127.0.0.1. @param at - its port. Default: any free port */
  static async start(at = 0): Promise<MailServer> {
    const sockets = new Map<number, Socket>();
    const server: SMTPServer = new SMTPServer({
      disabledCommands: ['STARTTLS'],
      authOptional: true,
      allowInsecureAuth: true,
      disableReverseLookup: true,
      closeTimeout: 1,
      onAuth: ({ username, password }, _session, done) =>
        password === started.password ? done(null, { user: username }) : done(new Error('Wrong password')),
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
    // Broken connections are expected in these tests
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

  /** The number of open connections. */
  get open(): number {
    return this.#sockets.size;
  }

  /** Breaks all open connections. */
  hangUp(): void {
    for (const socket of this.#sockets.values()) socket.destroy();
  }

  /** Breaks all connections and stops listening. */
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

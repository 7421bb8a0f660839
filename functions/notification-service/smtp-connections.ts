import type { Secret } from 'baton-tasks/service';
// Not nodemailer itself, nor its Mailer, which would bundle all its transports, DKIM, and requests for attachments
import MailComposer from 'nodemailer/lib/mail-composer';
import type Mailer from 'nodemailer/lib/mailer';
import SMTPPool from 'nodemailer/lib/smtp-pool';
import { isLoginRefused, SmtpAwayError } from './smtp-failure.ts';
import { smtpServer } from './smtp-url.ts';

/** Servers allow few connections: Postfix 50 per client, others 10. */
export const MAX_CONNECTIONS = 5;
const MAILS_A_CONNECTION = 100;
/** Servers wait 5 minutes or more (RFC 5321, section 4.5.3.2.7). With less, we close a connection before they do. */
const IDLE_TIMEOUT_MS = 60_000;
/** If the server closed an idle connection, the mail gets a new one, once. */
const MAX_REQUEUES = 1;
const CLOSE_TIMEOUT_MS = 1000;

/** Configures the connections to an SMTP server. */
export interface SmtpConnectionsOptions {
  /** The server's URL, with its password: `smtp://user:password@host:port`, or `smtps://` for TLS from the first byte. */
  readonly server: Secret<string>;
  /** Whether a password may go to another machine without TLS, if the server offers none. */
  readonly tls: 'required' | 'optional';
  /** How long a connection and the server's greeting may take, in milliseconds. */
  readonly connectTimeoutMs: number;
  /** How long each answer may take, in milliseconds. */
  readonly answerTimeoutMs: number;
}

/** A mail, and its text in MIME. */
type Sent = Parameters<SMTPPool['send']>[0];

/** The connections of one URL. */
interface Pool {
  readonly url: string;
  readonly connections: SMTPPool;
}

/**
 * A few kept connections to one SMTP server. If its URL changes, because its password was rotated, new mails go over new
 * connections.
 */
export class SmtpConnections {
  readonly #options: SmtpConnectionsOptions;
  #pool: Pool | undefined;

  constructor(options: SmtpConnectionsOptions) {
    this.#options = options;
  }

  /**
   * Sends a mail. If the server refuses the password, the URL is read again, and the mail sent once more if it has changed.
   *
   * @throws SmtpAwayError if the URL cannot be read, and the errors of nodemailer
   */
  async send(mail: Mailer.Options): Promise<void> {
    const url = await this.#url();
    try {
      await send(mail, this.#poolOf(url));
    } catch (error) {
      if (!isLoginRefused(error)) throw error;
      this.#options.server.refused(url);
      const newUrl = await this.#url();
      if (newUrl === url) throw error;
      await send(mail, this.#poolOf(newUrl));
    }
  }

  /** Closes all connections. Mails that are being sent fail. */
  close(): void {
    this.#pool?.connections.close({ force: true });
  }

  async #url(): Promise<string> {
    try {
      return await this.#options.server.value();
    } catch (error) {
      throw new SmtpAwayError(`Its URL cannot be read: ${(error as Error).message}`);
    }
  }

  #poolOf(url: string): SMTPPool {
    if (this.#pool?.url === url) return this.#pool.connections;
    // Mails that are being sent may end
    this.#pool?.connections.close();
    const connections = connectionsTo(url, this.#options);
    this.#pool = { url, connections };
    return connections;
  }
}

function connectionsTo(
  url: string,
  { tls, connectTimeoutMs, answerTimeoutMs }: SmtpConnectionsOptions,
): SMTPPool {
  return new SMTPPool({
    ...smtpServer(url, tls),
    pool: true as const,
    maxConnections: MAX_CONNECTIONS,
    maxMessages: MAILS_A_CONNECTION,
    maxRequeues: MAX_REQUEUES,
    idleTimeout: IDLE_TIMEOUT_MS,
    connectionTimeout: connectTimeoutMs,
    socketTimeout: answerTimeoutMs,
    socketCloseTimeout: CLOSE_TIMEOUT_MS,
  });
}

function send(mail: Mailer.Options, connections: SMTPPool): Promise<void> {
  // What a mail says is no path or URL to read
  const message = new MailComposer({ ...mail, disableFileAccess: true, disableUrlAccess: true }).compile();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  connections.send({ data: mail, message } as Sent, (error) => (error ? reject(error) : resolve()));
  return promise;
}

import type { Secret } from 'baton-tasks/service';
// Not from nodemailer itself, which would bundle all its transports
import Mailer from 'nodemailer/lib/mailer';
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

/** The connections of one URL. */
interface Pool {
  readonly url: string;
  readonly mailer: Mailer<SMTPPool.SentMessageInfo, SMTPPool.Options>;
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
      await this.#mailerOf(url).sendMail(mail);
    } catch (error) {
      if (!isLoginRefused(error)) throw error;
      this.#options.server.refused(url);
      const newUrl = await this.#url();
      if (newUrl === url) throw error;
      await this.#mailerOf(newUrl).sendMail(mail);
    }
  }

  /** Closes all connections. Mails that are being sent fail. */
  close(): void {
    this.#pool?.mailer.close({ force: true });
  }

  async #url(): Promise<string> {
    try {
      return await this.#options.server.value();
    } catch (error) {
      throw new SmtpAwayError(`Its URL cannot be read: ${(error as Error).message}`);
    }
  }

  #mailerOf(url: string): Pool['mailer'] {
    if (this.#pool?.url === url) return this.#pool.mailer;
    // Mails that are being sent may end
    this.#pool?.mailer.close();
    const mailer = mailerTo(url, this.#options);
    this.#pool = { url, mailer };
    return mailer;
  }
}

function mailerTo(url: string, { tls, connectTimeoutMs, answerTimeoutMs }: SmtpConnectionsOptions) {
  const options = {
    ...smtpServer(url, tls),
    pool: true as const,
    maxConnections: MAX_CONNECTIONS,
    maxMessages: MAILS_A_CONNECTION,
    maxRequeues: MAX_REQUEUES,
    idleTimeout: IDLE_TIMEOUT_MS,
    connectionTimeout: connectTimeoutMs,
    socketTimeout: answerTimeoutMs,
    socketCloseTimeout: CLOSE_TIMEOUT_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  };
  return new Mailer(new SMTPPool(options), options);
}

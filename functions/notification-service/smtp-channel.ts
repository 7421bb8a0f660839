import { PostponeTask } from 'baton-tasks';
import { type Logger, Permits, TooManyWaitingError } from 'baton-tasks/service';
import { createTransport } from 'nodemailer';
import type { Channel, Delivery } from './channel.ts';
import { Circuit, CircuitOpenError } from './circuit.ts';
import type { Sender } from './config.ts';
import { failureOf, SmtpAbortedError, SmtpAwayError } from './smtp-failure.ts';

/** Servers allow few: Postfix 50 a client, others 10. */
const MAX_CONNECTIONS = 5;
/** Mails that wait for a connection: all that the embedded worker may give one process at a time. */
const MAX_WAITING = 100;
const MAILS_A_CONNECTION = 100;
/** A server's own is 5 minutes and more (RFC 5321, section 4.5.3.2.7); a shorter one meets fewer servers that hang up. */
const IDLE_TIMEOUT_MS = 60_000;
/** A connection that its server closed while it was idle is replaced, once. */
const MAX_REQUEUES = 1;
const CLOSE_TIMEOUT_MS = 1000;
const BUSY_SECONDS = 5;
/** A mail rests for a quarter of its age, at most so long: after an outage of an hour the last one goes out 15 to 23 minutes later. */
const LONGEST_REST_SECONDS = 900;

/** How long an SMTP channel waits, and when it gives its server up for a time. All together within the contract's 30 s. */
export interface SmtpPatience {
  /** For a connection and the server's greeting, in milliseconds. Default 5,000. */
  readonly connectTimeoutMs: number;
  /** For any one answer, in milliseconds. Default 15,000. */
  readonly answerTimeoutMs: number;
  /** For a mail in line, in milliseconds. Default 5,000. */
  readonly lineTimeoutMs: number;
  /** For a mail under way, in milliseconds. Default 20,000. */
  readonly sendTimeoutMs: number;
  /** So many mails in a row that find the server away open the circuit. Default 3. */
  readonly failures: number;
  /** How long the circuit is open before one mail probes, in milliseconds. Default 30,000. */
  readonly probeAfterMs: number;
}

const PATIENCE: SmtpPatience = {
  connectTimeoutMs: 5000,
  answerTimeoutMs: 15_000,
  lineTimeoutMs: 5000,
  sendTimeoutMs: 20_000,
  failures: 3,
  probeAfterMs: 30_000,
};

/** What an SMTP channel needs. */
export interface SmtpChannelOptions {
  /** The server: `smtp://user:password@host:port`, or `smtps://` for TLS from the first byte. */
  readonly url: string;
  readonly from: Sender;
  readonly logger: Logger;
  /** Default: each as it says. */
  readonly patience?: Partial<SmtpPatience>;
}

/**
 * The channel of mails: sends them to one SMTP server, over a few connections that are kept.
 *
 * A mail's Message-ID comes from its notification's id, so that one that was sent twice, because its process died
 * between the server's answer and the task's effect, is known as one by whoever looks at it.
 */
export class SmtpChannel implements Channel {
  readonly name = 'smtp';
  readonly #from: Sender;
  readonly #patience: SmtpPatience;
  readonly #pool;
  readonly #connections = new Permits(MAX_CONNECTIONS, MAX_WAITING);
  readonly #circuit: Circuit;

  constructor({ url, from, logger, patience = {} }: SmtpChannelOptions) {
    this.#from = from;
    this.#patience = { ...PATIENCE, ...patience };
    const { connectTimeoutMs, answerTimeoutMs, failures, probeAfterMs } = this.#patience;
    this.#pool = createTransport({
      url,
      pool: true,
      maxConnections: MAX_CONNECTIONS,
      maxMessages: MAILS_A_CONNECTION,
      maxRequeues: MAX_REQUEUES,
      idleTimeout: IDLE_TIMEOUT_MS,
      connectionTimeout: connectTimeoutMs,
      socketTimeout: answerTimeoutMs,
      socketCloseTimeout: CLOSE_TIMEOUT_MS,
      disableFileAccess: true,
      disableUrlAccess: true,
    });
    this.#circuit = new Circuit({
      name: 'the SMTP server',
      failures,
      probeAfterMs,
      isAway: (error) => error instanceof SmtpAwayError,
      isSilent: (error) => error instanceof SmtpAbortedError,
      logger,
    });
  }

  async deliver(delivery: Delivery): Promise<void> {
    // Room comes before the circuit: those that wait in line when it opens are to find it open
    await this.#takeRoom(delivery.signal);
    try {
      await this.#circuit.call(() => this.#send(delivery));
    } catch (error) {
      throw error instanceof CircuitOpenError ? this.#postponed(error, delivery) : error;
    } finally {
      this.#connections.release();
    }
  }

  /** Closes all connections; mails that are under way fail. */
  close(): void {
    this.#pool.close({ force: true });
  }

  async #takeRoom(signal: AbortSignal): Promise<void> {
    const late = AbortSignal.timeout(this.#patience.lineTimeoutMs);
    try {
      await this.#connections.acquire(AbortSignal.any([signal, late]));
    } catch (error) {
      if (!(error instanceof TooManyWaitingError) && error !== late.reason) throw error;
      throw new PostponeTask('All connections to the SMTP server are busy', { delaySeconds: BUSY_SECONDS });
    }
  }

  async #send({ notificationId, notification, signal }: Delivery): Promise<void> {
    const { recipient, subject = '', message } = notification;
    const { name, address } = this.#from;
    const late = AbortSignal.timeout(this.#patience.sendTimeoutMs);
    try {
      await this.#pool.sendMail({
        messageId: this.#messageId(notificationId),
        from: { name, address },
        // As an object it is one address, whatever it looks like
        to: { name: '', address: recipient },
        subject,
        text: message,
        signal: AbortSignal.any([signal, late]),
      });
    } catch (error) {
      const failure = failureOf(error);
      if (!(failure instanceof SmtpAbortedError) || signal.aborted) throw failure;
      throw new SmtpAwayError(`No mail within ${this.#patience.sendTimeoutMs} ms`);
    }
  }

  /** RFC 5322, section 3.6.4: no dot at an end, no colon at all; a task id has neither of the characters in their place. */
  #messageId(notificationId: string): string {
    return `<${notificationId.replaceAll('.', '+').replaceAll(':', '=')}@${this.#from.domain}>`;
  }

  /** Half as much again is chance, so that mails which wait together do not come back together. */
  #postponed(cause: CircuitOpenError, { createdAt }: Delivery): PostponeTask {
    const ageSeconds = (Date.now() - Date.parse(createdAt)) / 1000;
    const probeSeconds = this.#patience.probeAfterMs / 1000;
    const restSeconds = Math.min(LONGEST_REST_SECONDS, Math.max(probeSeconds, ageSeconds / 4));
    return new PostponeTask('The SMTP server is away; the mail waits for it', {
      cause,
      delaySeconds: restSeconds * (1 + Math.random() / 2),
    });
  }
}

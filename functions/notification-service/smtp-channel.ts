import { PostponeTask } from 'baton-tasks';
import { type Logger, Permits, type Secret, TooManyWaitingError } from 'baton-tasks/service';
import type { Channel, Delivery } from './channel.ts';
import { Circuit, CircuitOpenError } from './circuit.ts';
import type { Sender } from './config.ts';
import { MAX_CONNECTIONS, SmtpConnections } from './smtp-connections.ts';
import { failureOf, SmtpAbortedError, SmtpAwayError } from './smtp-failure.ts';

/** Mails that may wait for a connection: as many as the embedded worker can give one process at a time. */
const MAX_WAITING = 100;
const BUSY_SECONDS = 5;
/** A mail waits for a quarter of its age, at most this long. After an hour's outage the last one leaves 15 to 23 minutes later. */
const LONGEST_WAIT_SECONDS = 900;

/** The waits of an SMTP channel, and when its circuit opens. Together the waits fit into the contract's 30 s. */
export interface SmtpPatience {
  /** For a connection and the server's greeting, in milliseconds. Default 5,000. */
  readonly connectTimeoutMs: number;
  /** For each answer, in milliseconds. Default 15,000. */
  readonly answerTimeoutMs: number;
  /** For a free connection, in milliseconds. Default 5,000. */
  readonly queueTimeoutMs: number;
  /** For sending one mail, in milliseconds. Default 20,000. */
  readonly sendTimeoutMs: number;
  /** Mails in a row that find the server away and so open the circuit. Default 3. */
  readonly failures: number;
  /** How long the circuit stays open before one mail probes the server, in milliseconds. Default 30,000. */
  readonly probeAfterMs: number;
}

const PATIENCE: SmtpPatience = {
  connectTimeoutMs: 5000,
  answerTimeoutMs: 15_000,
  queueTimeoutMs: 5000,
  sendTimeoutMs: 20_000,
  failures: 3,
  probeAfterMs: 30_000,
};

/** Configures an SMTP channel. */
export interface SmtpChannelOptions {
  /** The server's URL, with its password: `smtp://user:password@host:port`, or `smtps://` for TLS from the first byte. */
  readonly server: Secret<string>;
  /** Whether a password may go to another machine without TLS, if the server offers none. Default `required`. */
  readonly tls?: 'required' | 'optional';
  readonly from: Sender;
  readonly logger: Logger;
  /** Default: those of `SmtpPatience`. */
  readonly patience?: Partial<SmtpPatience>;
}

/**
 * Sends mails to one SMTP server, over a few connections that it keeps.
 *
 * A mail's Message-ID comes from its notification's id. A mail may be sent twice if the process dies after the server's
 * answer and before the effect is kept; mail programs then recognise the second one.
 */
export class SmtpChannel implements Channel {
  readonly name = 'smtp';
  readonly #from: Sender;
  readonly #patience: SmtpPatience;
  readonly #server: SmtpConnections;
  readonly #connections = new Permits(MAX_CONNECTIONS, MAX_WAITING);
  readonly #circuit: Circuit;

  constructor({ server, tls = 'required', from, logger, patience = {} }: SmtpChannelOptions) {
    this.#from = from;
    this.#patience = { ...PATIENCE, ...patience };
    const { connectTimeoutMs, answerTimeoutMs, failures, probeAfterMs } = this.#patience;
    this.#server = new SmtpConnections({ server, tls, connectTimeoutMs, answerTimeoutMs });
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
    // Wait for a connection before the circuit, so that mails which wait when it opens find it open
    await this.#takeRoom(delivery.signal);
    try {
      await this.#circuit.call(() => this.#send(delivery));
    } catch (error) {
      throw error instanceof CircuitOpenError ? this.#postponed(error, delivery) : error;
    } finally {
      this.#connections.release();
    }
  }

  /** Closes all connections. Mails that are being sent fail. */
  close(): void {
    this.#server.close();
  }

  async #takeRoom(signal: AbortSignal): Promise<void> {
    const late = AbortSignal.timeout(this.#patience.queueTimeoutMs);
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
      await this.#server.send({
        messageId: this.#messageId(notificationId),
        from: { name, address },
        // An object is one address; a string would be parsed as a list
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

  /** RFC 5322, section 3.6.4: no dot at an end, and no colon. A task id has neither `+` nor `=`, so ids stay distinct. */
  #messageId(notificationId: string): string {
    return `<${notificationId.replaceAll('.', '+').replaceAll(':', '=')}@${this.#from.domain}>`;
  }

  /** Adds up to half of the wait at random, so mails that wait together do not come back together. */
  #postponed(cause: CircuitOpenError, { createdAt }: Delivery): PostponeTask {
    const ageSeconds = (Date.now() - Date.parse(createdAt)) / 1000;
    const probeSeconds = this.#patience.probeAfterMs / 1000;
    const waitSeconds = Math.min(LONGEST_WAIT_SECONDS, Math.max(probeSeconds, ageSeconds / 4));
    return new PostponeTask('The SMTP server is away; the mail waits for it', {
      cause,
      delaySeconds: waitSeconds * (1 + Math.random() / 2),
    });
  }
}

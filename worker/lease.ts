import { BatchEntryError } from '@baton/common/queue/sqs-batch';
import type { ReceivedMessage } from '@baton/common/queue/received-message';
import type { Settler } from '@baton/common/queue/settler';
import type { Logger } from '@baton/common/telemetry/logger';

/** What SQS and its emulators answer when a receipt handle holds its message no longer. */
const LOST_CODES = new Set(['MessageNotInflight', 'InvalidParameterValue', 'ReceiptHandleIsInvalid']);
const RETRY_MS = 1000;

/** The lease of a message ended while its task was running: another worker may have it now. */
export class LeaseLostError extends Error {
  override readonly name = 'LeaseLostError';
}

/** What a lease needs. */
export interface LeaseOptions {
  readonly message: ReceivedMessage;
  readonly settler: Settler;
  /** How long a lease lasts unless it is renewed; it is renewed after a third of that. */
  readonly leaseSeconds: number;
  /** When the message was received, by `performance.now()`, at the latest: the lease began then. */
  readonly receivedAtMs: number;
  readonly logger: Logger;
}

/** A worker's right to a message, renewed until it is closed. */
export class Lease {
  readonly #options: LeaseOptions;
  readonly #loss = new AbortController();
  #endsAtMs: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: LeaseOptions) {
    this.#options = options;
    this.#endsAtMs = options.receivedAtMs + options.leaseSeconds * 1000;
    this.#renewAfter((options.leaseSeconds * 1000) / 3);
  }

  /** Aborts with LeaseLostError when the lease is lost. */
  get signal(): AbortSignal {
    return this.#loss.signal;
  }

  /** Whether the message is still this worker's. */
  get held(): boolean {
    return !this.#loss.signal.aborted;
  }

  /** Renews no longer. What becomes of the message is the settler's to say, or it comes back when the lease ends. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #renewAfter(delayMs: number): void {
    const leftMs = this.#endsAtMs - performance.now();
    if (leftMs <= 0) {
      this.#lose('it could not be renewed in time');
      return;
    }
    this.#timer = setTimeout(() => void this.#renew(), Math.min(delayMs, leftMs));
  }

  async #renew(): Promise<void> {
    const { message, settler, leaseSeconds, logger } = this.#options;
    const timer = this.#timer;
    const askedAtMs = performance.now();
    try {
      await settler.hide(message, leaseSeconds);
      this.#endsAtMs = askedAtMs + leaseSeconds * 1000;
      if (this.#timer === timer) this.#renewAfter((leaseSeconds * 1000) / 3);
    } catch (error) {
      if (this.#timer !== timer) return;
      if (error instanceof BatchEntryError && LOST_CODES.has(error.code)) {
        this.#lose(error.message);
        return;
      }
      logger.warn({ messageId: message.messageId, error }, 'lease could not be renewed; trying again');
      this.#renewAfter(RETRY_MS);
    }
  }

  #lose(why: string): void {
    const { message, logger } = this.#options;
    this.close();
    logger.error({ messageId: message.messageId, why }, 'lease lost');
    this.#loss.abort(new LeaseLostError(`The lease of message ${message.messageId} was lost: ${why}`));
  }
}

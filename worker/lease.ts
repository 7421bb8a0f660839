import { MAX_VISIBILITY_SECONDS } from '@baton/common/queue/outcome';
import type { ReceivedMessage } from '@baton/common/queue/received-message';
import type { Settler } from '@baton/common/queue/settler';
import { BatchEntryError } from '@baton/common/queue/sqs-batch';
import type { Logger } from '@baton/common/telemetry/logger';

/** What SQS and its emulators answer when a receipt handle holds its message no longer. */
const LOST_CODES = new Set(['MessageNotInflight', 'InvalidParameterValue', 'ReceiptHandleIsInvalid']);
const RETRY_MS = 1000;
const CAP_MARGIN_SECONDS = 5;

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
  /** When the message was asked for, by `performance.now()`: SQS handed it out no sooner, so the lease lasts from then. */
  readonly askedAtMs: number;
  readonly logger: Logger;
  /** Called once, when the lease is lost. */
  readonly onLost: (error: LeaseLostError) => void;
}

/**
 * A worker's right to a message, renewed until it is closed.
 *
 * A poll that waits may have been handed its message at any time since it began. Until the first renewal is answered
 * the lease is taken to last from when the poll began, and for a third of its length at least: true unless the answer
 * was under way for two thirds of a lease.
 */
export class Lease {
  readonly #options: LeaseOptions;
  #held = true;
  #closing = false;
  #endMs = 0;
  #end: NodeJS.Timeout | undefined;
  #next: NodeJS.Timeout | undefined;
  #renewal: Promise<void> | undefined;

  constructor(options: LeaseOptions) {
    this.#options = options;
    const { askedAtMs, leaseSeconds } = options;
    const leaseMs = leaseSeconds * 1000;
    const nowMs = performance.now();
    this.#endsAt(Math.max(askedAtMs + leaseMs, nowMs + leaseMs / 3));
    this.#renewAfter(Math.max(askedAtMs + leaseMs / 3, nowMs + leaseMs / 6) - nowMs);
  }

  /** Whether the message is still this worker's: the lease was not lost before it was closed. */
  get held(): boolean {
    return this.#held;
  }

  /** The longest that the message may be hidden from now on, in seconds: SQS counts its 12 h from the receive. */
  get hideableSeconds(): number {
    const sinceMs = performance.now() - this.#options.askedAtMs;
    return Math.max(0, MAX_VISIBILITY_SECONDS - CAP_MARGIN_SECONDS - Math.ceil(sinceMs / 1000));
  }

  /** When the lease ends unless it is renewed, by `performance.now()`. */
  get endsAtMs(): number {
    return this.#endMs;
  }

  /** Renews no longer. Resolves once a renewal under way has ended, which would otherwise undo what is settled next. */
  async stopRenewing(): Promise<void> {
    this.#closing = true;
    clearTimeout(this.#next);
    await this.#renewal;
  }

  /** Forgets the lease: the message is settled, or comes back when the lease ends. */
  close(): void {
    this.#closing = true;
    clearTimeout(this.#next);
    clearTimeout(this.#end);
  }

  /** A renewal may hang, so the end has a timer of its own. */
  #endsAt(endMs: number): void {
    this.#endMs = endMs;
    clearTimeout(this.#end);
    const leftMs = Math.max(0, endMs - performance.now());
    this.#end = setTimeout(() => this.#lose('it could not be renewed in time'), leftMs);
  }

  #renewAfter(delayMs: number): void {
    if (this.#closing || !this.#held) return;
    this.#next = setTimeout(() => {
      this.#renewal = this.#renew().finally(() => (this.#renewal = undefined));
    }, delayMs);
  }

  async #renew(): Promise<void> {
    const { message, settler, leaseSeconds, logger } = this.#options;
    const askedAtMs = performance.now();
    const seconds = Math.min(leaseSeconds, this.hideableSeconds);
    // The 12 h are over: the lease runs to its end, which aborts the handler
    if (seconds === 0) return;
    try {
      await settler.hide(message, seconds);
      if (this.#held) this.#endsAt(askedAtMs + seconds * 1000);
      this.#renewAfter((leaseSeconds * 1000) / 3);
    } catch (error) {
      const lost = error instanceof BatchEntryError && LOST_CODES.has(error.code);
      // The handler has ended; whoever waits for this to release or to hide the message learns that it is not to
      if (this.#closing) {
        this.#held &&= !lost;
        return;
      }
      if (lost) {
        this.#lose(error.message);
        return;
      }
      logger.warn({ messageId: message.messageId, error }, 'lease could not be renewed; trying again');
      this.#renewAfter(RETRY_MS);
    }
  }

  #lose(why: string): void {
    const { message, logger, onLost } = this.#options;
    if (!this.#held) return;
    this.#held = false;
    clearTimeout(this.#next);
    clearTimeout(this.#end);
    logger.error({ messageId: message.messageId, why }, 'lease lost');
    onLost(new LeaseLostError(`The lease of message ${message.messageId} was lost: ${why}`));
  }
}

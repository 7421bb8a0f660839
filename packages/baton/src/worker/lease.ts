import { TaskError } from '../task/errors.ts';
import { MAX_VISIBILITY_SECONDS } from '../task/outcome.ts';
import type { ReceivedMessage } from '../sqs/received-message.ts';
import { Renewal, type Renewed } from '../sqs/renewal.ts';
import type { Settler } from '../sqs/settler.ts';
import { BatchEntryError } from '../sqs/sqs-batch.ts';
import type { Logger } from '../telemetry/logger.ts';

/** What SQS and its emulators answer when a receipt handle holds its message no longer. */
const LOST_CODES = new Set(['MessageNotInflight', 'InvalidParameterValue', 'ReceiptHandleIsInvalid']);
const CAP_MARGIN_SECONDS = 5;

/** The lease of a message ended while its task was running: another worker may have it now. */
export class LeaseLostError extends TaskError {
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
  readonly #renewal: Renewal;

  constructor(options: LeaseOptions) {
    const { askedAtMs, leaseSeconds, logger, message } = options;
    const { messageId } = message;
    const lengthMs = leaseSeconds * 1000;
    const nowMs = performance.now();
    this.#options = options;
    this.#renewal = new Renewal({
      lengthMs,
      endsAtMs: Math.max(askedAtMs + lengthMs, nowMs + lengthMs / 3),
      renewAtMs: Math.max(askedAtMs + lengthMs / 3, nowMs + lengthMs / 6),
      renew: () => this.#renew(),
      onTrouble: (error) => logger.warn({ messageId, error }, 'lease could not be renewed; trying again'),
      onLost: (why) => this.#lose(why),
    });
  }

  /** Whether the message is still this worker's: the lease was not lost before it was closed. */
  get held(): boolean {
    return this.#renewal.held;
  }

  /** Whether the lease lasts: as `Renewal.confirm`. */
  confirm(): Promise<boolean> | undefined {
    return this.#renewal.confirm();
  }

  /** The longest that the message may be hidden from now on, in seconds: SQS counts its 12 h from the receive. */
  get hideableSeconds(): number {
    const sinceMs = performance.now() - this.#options.askedAtMs;
    return Math.max(0, MAX_VISIBILITY_SECONDS - CAP_MARGIN_SECONDS - Math.ceil(sinceMs / 1000));
  }

  /** When the lease ends unless it is renewed, by `performance.now()`. */
  get endsAtMs(): number {
    return this.#renewal.endsAtMs;
  }

  /** Renews no longer. Resolves once a renewal under way has ended, which would otherwise undo what is settled next. */
  stopRenewing(): Promise<void> {
    return this.#renewal.stop();
  }

  /** Forgets the lease: the message is settled, or comes back when the lease ends. */
  close(): void {
    this.#renewal.close();
  }

  async #renew(): Promise<Renewed> {
    const { message, settler, leaseSeconds } = this.#options;
    const seconds = Math.min(leaseSeconds, this.hideableSeconds);
    // The 12 h are over: the lease runs to its end, which aborts the handler
    if (seconds === 0) return 'last';
    try {
      await settler.extendLease(message, seconds);
      return { forMs: seconds * 1000 };
    } catch (error) {
      if (error instanceof BatchEntryError && LOST_CODES.has(error.code)) return { lost: error.message };
      throw error;
    }
  }

  #lose(why: string): void {
    const { message, logger, onLost } = this.#options;
    logger.error({ messageId: message.messageId, why }, 'lease lost');
    onLost(new LeaseLostError(`The lease of message ${message.messageId} was lost: ${why}`));
  }
}

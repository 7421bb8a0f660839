// The lease of a message: its visibility timeout at SQS, renewed while its task runs.
import { TaskError } from '../task/errors.ts';
import { MAX_VISIBILITY_SECONDS } from '../task/outcome.ts';
import type { ReceivedMessage } from '../sqs/received-message.ts';
import { Renewal, type Renewed } from '../sqs/renewal.ts';
import type { Settler } from '../sqs/settler.ts';
import { BatchEntryError } from '../sqs/sqs-batch.ts';
import type { Logger } from '../telemetry/logger.ts';

/** The answers of SQS and its emulators if a receipt handle no longer holds its message. */
const LOST_CODES = new Set(['MessageNotInflight', 'InvalidParameterValue', 'ReceiptHandleIsInvalid']);
const CAP_MARGIN_SECONDS = 5;

/** The lease of a message expired while its task ran. Another worker may have the message now. */
export class LeaseLostError extends TaskError {
  override readonly name = 'LeaseLostError';
}

/** Configures a lease. */
export interface LeaseOptions {
  readonly message: ReceivedMessage;
  readonly settler: Settler;
  /** How long a lease lasts without a renewal. It is renewed after a third of that time. */
  readonly leaseSeconds: number;
  /** When the message was requested, by `performance.now()`. SQS did not hand it out earlier. */
  readonly askedAtMs: number;
  readonly logger: Logger;
  /** Called once, when the lease is lost. */
  readonly onLost: (error: LeaseLostError) => void;
}

/**
 * A worker's right to a message. Renews itself until it is closed.
 *
 * SQS may have handed the message out at any time since the poll began. Until the first renewal is answered, the lease
 * counts from the start of the poll, and lasts for at least a third of its length from now. That is correct unless the
 * answer took two thirds of a lease to arrive.
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

  /** Confirms the lease: see `Renewal.confirm`. */
  confirm(): Promise<boolean> | undefined {
    return this.#renewal.confirm();
  }

  /** How long the message may still be hidden, in seconds. SQS counts its limit of 12 h from the receive. */
  get hideableSeconds(): number {
    const sinceMs = performance.now() - this.#options.askedAtMs;
    return Math.max(0, MAX_VISIBILITY_SECONDS - CAP_MARGIN_SECONDS - Math.ceil(sinceMs / 1000));
  }

  /** When the lease expires without a renewal, by `performance.now()`. */
  get endsAtMs(): number {
    return this.#renewal.endsAtMs;
  }

  /** Stops renewing. Resolves once a renewal under way has ended, because it could undo the settling. */
  stopRenewing(): Promise<void> {
    return this.#renewal.stop();
  }

  /** Ends the renewals for good: the message is settled, or comes back when the lease expires. */
  close(): void {
    this.#renewal.close();
  }

  async #renew(): Promise<Renewed> {
    const { message, settler, leaseSeconds } = this.#options;
    const seconds = Math.min(leaseSeconds, this.hideableSeconds);
    // The 12 h are over: the lease cannot be renewed, and the handler is aborted when it expires
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

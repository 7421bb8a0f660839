// How long the rows of a service are kept.
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { ClockWatch } from '../time/clock-watch.ts';

const DAY_SECONDS = 86_400;
/**
 * Longer than a table can be restored to a time before, which is 35 days (Amazon DynamoDB Developer Guide, "Point-in-time
 * recovery"): a row, or what is left of it, that is kept for so long after it changed does not come back by a restore to a
 * time before the change. Also longer than a message or a dead letter about a row can come, which is 14 days.
 */
export const LEAST_DAYS = 36;
const MOST_DAYS = 36_500;

/** Parts of an UpdateExpression: `SET a = :a${set} REMOVE b${remove}`, with `values` among its values. */
export interface Renewal {
  readonly set: string;
  readonly remove: string;
  readonly values: Readonly<Record<string, number>>;
}

/** Keeps a row for ever. */
export const FOR_EVER: Renewal = { set: '', remove: ', expiresAt', values: {} };

/**
 * The variable of a retention: a whole number of days from 36 to 36,500, or 0, which means for ever. After less than 36 days
 * a restore of the table could bring back a row whose time is over. Default: `initial`.
 */
export function retentionDays(initial: number) {
  const allowed = `expected 0 (for ever), or a whole number of days from ${LEAST_DAYS} to ${MOST_DAYS}`;
  return z
    .string()
    .regex(/^\d{1,5}$/, { error: allowed })
    .transform(Number)
    .refine((days) => days === 0 || (days >= LEAST_DAYS && days <= MOST_DAYS), { error: allowed })
    .default(initial);
}

/** Configures a retention. */
export interface RetentionOptions {
  readonly documents: DynamoDBDocumentClient;
  /** How many days a row is kept after it was written last. 0 means for ever. */
  readonly days: number;
  /** The time in milliseconds since 1970. Default: DynamoDB's, which all processes share. */
  readonly now?: () => number;
}

/**
 * How long rows are kept. Write `expiresAt` with a row, as the attribute of the table's TimeToLiveSpecification, and DynamoDB
 * deletes the row within two days after that time (its Developer Guide, "Using time to live"). Readers must leave it out
 * from that time on.
 */
export class Retention {
  readonly #days: number;
  readonly #clock: ClockWatch;

  constructor({ documents, days, now }: RetentionOptions) {
    this.#days = days;
    this.#clock = now ? new ClockWatch('DynamoDB', { now, answers: false }) : ClockWatch.of(documents);
  }

  /** The time to live of a row that is written now, in seconds since 1970. Undefined: it is kept for ever. */
  get expiresAt(): number | undefined {
    return this.#days === 0 ? undefined : this.nowSeconds + this.#days * DAY_SECONDS;
  }

  /** What an update adds so that the time of its row begins anew. */
  get renewal(): Renewal {
    const { expiresAt } = this;
    if (expiresAt === undefined) return FOR_EVER;
    return { set: ', expiresAt = :expiresAt', remove: '', values: { ':expiresAt': expiresAt } };
  }

  /** Whether the time of a row is over, although DynamoDB may not have deleted it yet. */
  isOver({ expiresAt }: { readonly expiresAt?: number | undefined }): boolean {
    return expiresAt !== undefined && expiresAt <= this.nowSeconds;
  }

  /** The time in seconds since 1970. A query leaves out the rows whose `expiresAt` is not later. */
  get nowSeconds(): number {
    return Math.floor(this.#clock.nowMs / 1000);
  }
}

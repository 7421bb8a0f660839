// Accepts each request once, by the id of its resource.
import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { ClockWatch } from '../time/clock-watch.ts';
import type { Logger } from '../telemetry/logger.ts';
import { FOR_EVER, type Retention } from './retention.ts';

/** How long a request alone may send its task. Then a repeated request may take the row over. */
const HOLD_SECONDS = 30;
/** How often a request looks whether its twin was accepted: every 100 ms for 2 s. */
const LOOKS = 21;
const LOOK_MS = 100;
/** How long a row is kept whose request was not accepted. */
const PENDING_DAYS = 1;

/** Another request has used the same idempotency key. */
export class RequestMismatchError extends Error {
  override readonly name = 'RequestMismatchError';
}

/** A request with the same idempotency key is in progress. */
export class RequestInProgressError extends Error {
  override readonly name = 'RequestInProgressError';
}

/** The members that an intake adds to a service's row. */
export interface IntakeRow {
  readonly status: string;
  /** Tells a repeated request from another request with the same key. */
  readonly requestHash?: string | undefined;
  /** The call of `accept` that may send the task of a pending row. */
  readonly holder?: string | undefined;
  /** Until when only that call may send the task, in milliseconds since 1970. */
  readonly heldUntilMs?: number | undefined;
  /** DynamoDB's time to live, in seconds since 1970: a day for a pending row, then what the service's retention says. */
  readonly expiresAt?: number | undefined;
}

/** A request to accept. */
export interface IntakeRequest<Row extends IntakeRow> {
  /** The id of the resource: see `IdempotencyKeys`. */
  readonly id: string;
  /** A digest of the request's body: see `hashOfRequest`. */
  readonly requestHash: string;
  /** The service's own members of the row. */
  readonly row: Omit<Row, keyof IntakeRow>;
  /** Members that make the row appear in the service's lists. Written once the request is accepted. */
  readonly listing: Readonly<Record<string, string>>;
  /** Sends the request's task. After a crash it may be called again for the same id, and must use the same task id. */
  readonly sendTask: () => Promise<unknown>;
}

/** Configures an intake. */
export interface IntakeOptions {
  readonly documents: DynamoDBDocumentClient;
  readonly table: string;
  /** The name of the table's partition key. */
  readonly key: string;
  readonly logger: Logger;
  /** How long an accepted row is kept. Default: for ever. */
  readonly retention?: Retention;
  /** The time in milliseconds since 1970. Default: DynamoDB's, which all processes share. */
  readonly now?: () => number;
}

/**
 * Accepts each request once: writes its row as `pending` (invisible to readers), sends its task, then marks the row
 * `accepted`. So no request is accepted before SQS has accepted its task. After a crash or a failed send the row stays
 * `pending`: a repeated request takes it over, or it expires after a day.
 */
export class Intake<Row extends IntakeRow> {
  readonly #documents: DynamoDBDocumentClient;
  readonly #table: string;
  readonly #key: string;
  readonly #logger: Logger;
  readonly #retention: Retention | undefined;
  readonly #clock: ClockWatch;

  constructor({ documents, table, key, logger, retention, now }: IntakeOptions) {
    this.#documents = documents;
    this.#table = table;
    this.#key = key;
    this.#logger = logger;
    this.#retention = retention;
    this.#clock = now ? new ClockWatch('DynamoDB', { now, answers: false }) : ClockWatch.of(documents);
    this.#clock.reportTo(logger);
  }

  /**
   * Accepts a request. Does nothing if it was accepted before.
   *
   * @throws RequestMismatchError if the id belongs to another request
   * @throws RequestInProgressError if another call accepts the same request, and is not done within 2 s
   * @throws the errors of `sendTask`; the same request may be tried again at once
   */
  async accept({ id, requestHash, row, listing, sendTask }: IntakeRequest<Row>): Promise<void> {
    const holder = randomUUID();
    if (!(await this.#beginOrWait(id, requestHash, holder, row))) return;
    try {
      await sendTask();
    } catch (error) {
      await this.#letGo(id, holder).catch(() => undefined);
      throw error;
    }
    // The task is sent, so the request is accepted even if this fails: then the task's outcome makes the row visible
    await this.#markAccepted(id, holder, listing).catch((error: unknown) => {
      this.#logger.error({ id, error }, 'row of an accepted request could not be marked as accepted');
    });
  }

  /** Calls `#begin`. If the same request is in progress, waits until it is accepted, for at most 2 s. */
  async #beginOrWait(
    id: string,
    requestHash: string,
    holder: string,
    row: Omit<Row, keyof IntakeRow>,
  ): Promise<boolean> {
    for (let look = 1; ; look += 1) {
      try {
        return await this.#begin(id, requestHash, holder, row);
      } catch (error) {
        if (!(error instanceof RequestInProgressError) || look >= LOOKS) throw error;
        await sleep(LOOK_MS);
      }
    }
  }

  /** Writes the pending row. Resolves to whether this call must send the task: not if the request was accepted before. */
  async #begin(
    id: string,
    requestHash: string,
    holder: string,
    row: Omit<Row, keyof IntakeRow>,
  ): Promise<boolean> {
    await this.#clock.known(() => this.#read(id));
    const { nowMs } = this.#clock;
    const pending: IntakeRow = {
      status: 'pending',
      requestHash,
      holder,
      heldUntilMs: nowMs + HOLD_SECONDS * 1000,
      expiresAt: Math.floor(nowMs / 1000) + PENDING_DAYS * 86_400,
    };
    try {
      await this.#documents.send(
        new PutCommand({
          TableName: this.#table,
          Item: { ...row, ...pending, [this.#key]: id },
          ConditionExpression:
            'attribute_not_exists(#key) OR #status = :pending AND requestHash = :hash AND heldUntilMs < :now',
          ExpressionAttributeNames: { '#key': this.#key, '#status': 'status' },
          ExpressionAttributeValues: { ':pending': 'pending', ':hash': requestHash, ':now': nowMs },
        }),
      );
      return true;
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      return this.#isHeld(id, requestHash, holder);
    }
  }

  /** Whether this call wrote the row: the SDK may retry a write that had already succeeded, and gets a refusal. */
  async #isHeld(id: string, requestHash: string, holder: string): Promise<boolean> {
    const row = await this.#read(id);
    if (row && row.requestHash !== requestHash)
      throw new RequestMismatchError(`The id ${id} belongs to another request`);
    if (row && row.status !== 'pending') return false;
    if (row?.holder !== holder) throw new RequestInProgressError(`The request ${id} is in progress`);
    return true;
  }

  async #read(id: string): Promise<Row | undefined> {
    const { Item } = await this.#documents.send(
      new GetCommand({ TableName: this.#table, Key: { [this.#key]: id }, ConsistentRead: true }),
    );
    return Item as Row | undefined;
  }

  /** Marks the row as accepted. Does nothing if the task's outcome has changed the row already. */
  async #markAccepted(id: string, holder: string, listing: Readonly<Record<string, string>>): Promise<void> {
    const { set, remove, values } = this.#retention?.renewal ?? FOR_EVER;
    const listed = Object.keys(listing).map((name) => `, ${name} = :${name}`);
    await this.#updatePending(id, holder, {
      UpdateExpression: `SET #status = :accepted${listed.join('')}${set} REMOVE holder, heldUntilMs${remove}`,
      ExpressionAttributeValues: {
        ':accepted': 'accepted',
        ...Object.fromEntries(Object.entries(listing).map(([name, value]) => [`:${name}`, value])),
        ...values,
      },
    });
  }

  async #letGo(id: string, holder: string): Promise<void> {
    await this.#updatePending(id, holder, {
      UpdateExpression: 'SET heldUntilMs = :zero',
      ExpressionAttributeValues: { ':zero': 0 },
    });
  }

  /** Updates the pending row. Does nothing if another call has taken it over. */
  async #updatePending(
    id: string,
    holder: string,
    update: {
      readonly UpdateExpression: string;
      readonly ExpressionAttributeValues: Record<string, unknown>;
    },
  ): Promise<void> {
    try {
      await this.#documents.send(
        new UpdateCommand({
          TableName: this.#table,
          Key: { [this.#key]: id },
          ConditionExpression: '#status = :pending AND holder = :holder',
          UpdateExpression: update.UpdateExpression,
          ExpressionAttributeNames: { '#status': 'status' },
          ExpressionAttributeValues: {
            ...update.ExpressionAttributeValues,
            ':pending': 'pending',
            ':holder': holder,
          },
        }),
      );
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
    }
  }
}

/** The digest of a request's body. Give it the checked body, whose members always have the same order. */
export function hashOfRequest(body: unknown): string {
  return createHash('sha256').update(JSON.stringify(body)).digest('base64url');
}

import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';

/** How long a request has its row to itself while it sends its task; then another request with the same key may. */
const HOLD_SECONDS = 30;
/** How long a row stays that no task was ever sent for. */
const PENDING_DAYS = 1;

/** The same idempotency key came with another request. */
export class RequestMismatchError extends Error {
  override readonly name = 'RequestMismatchError';
}

/** Another request with the same idempotency key is being taken in at this moment. */
export class RequestInProgressError extends Error {
  override readonly name = 'RequestInProgressError';
}

/** The members that an intake keeps in a service's row, beside the service's own. */
export interface IntakeRow {
  readonly status: string;
  /** Tells whether a repeated request is the same request. */
  readonly requestHash?: string | undefined;
  /** A pending row is its request's own until then, in milliseconds since 1970. */
  readonly heldUntilMs?: number | undefined;
  /** DynamoDB's time to live, in seconds since 1970; only pending rows have it. */
  readonly expiresAt?: number | undefined;
}

/** A request to take in. */
export interface IntakeRequest<Row extends IntakeRow> {
  readonly id: string;
  /** Equal for equal requests: a digest of what was asked. */
  readonly requestHash: string;
  /** The service's own members of the row. */
  readonly row: Omit<Row, keyof IntakeRow>;
  /** Members that make the row appear in the service's lists; written once the request is accepted. */
  readonly listing: Readonly<Record<string, string>>;
  /** Sends the request's task. May be called again for the same id after a crash: the task id must be the same then. */
  readonly sendTask: () => Promise<unknown>;
}

/** Where an intake keeps its rows. */
export interface IntakeOptions {
  readonly documents: DynamoDBDocumentClient;
  readonly table: string;
  /** The name of the table's partition key. */
  readonly key: string;
  /** The time in milliseconds since 1970. Default: the system's. */
  readonly now?: () => number;
}

/**
 * Takes requests in, each once: its row first (`pending`, which no reader sees), then its task, then `accepted`.
 * A crash or a dead broker in between leaves a pending row, which a repeated request takes over and which otherwise
 * expires after a day; so nothing is ever half accepted, and nothing is accepted that SQS has not taken.
 */
export class Intake<Row extends IntakeRow> {
  readonly #documents: DynamoDBDocumentClient;
  readonly #table: string;
  readonly #key: string;
  readonly #now: () => number;

  constructor({ documents, table, key, now = Date.now }: IntakeOptions) {
    this.#documents = documents;
    this.#table = table;
    this.#key = key;
    this.#now = now;
  }

  /**
   * Takes a request in, unless it was taken in before.
   *
   * @throws RequestMismatchError when the id is taken by another request
   * @throws RequestInProgressError when the same request is being taken in by somebody else
   * @throws whatever `sendTask` throws; the same request may then try again at once
   */
  async take({ id, requestHash, row, listing, sendTask }: IntakeRequest<Row>): Promise<void> {
    const own = await this.#begin(id, requestHash, row);
    if (!own) return;
    try {
      await sendTask();
    } catch (error) {
      await this.#letGo(id).catch(() => undefined);
      throw error;
    }
    await this.#accept(id, listing);
  }

  /** Whether the row is this request's own now; false when the same request was accepted before. */
  async #begin(id: string, requestHash: string, row: Omit<Row, keyof IntakeRow>): Promise<boolean> {
    const nowMs = this.#now();
    const pending: IntakeRow = {
      status: 'pending',
      requestHash,
      heldUntilMs: nowMs + HOLD_SECONDS * 1000,
      expiresAt: Math.floor(nowMs / 1000) + PENDING_DAYS * 86_400,
    };
    try {
      await this.#documents.send(
        new PutCommand({
          TableName: this.#table,
          Item: { ...row, ...pending, [this.#key]: id },
          ConditionExpression:
            'attribute_not_exists(#key) OR (#status = :pending AND requestHash = :hash AND heldUntilMs < :now)',
          ExpressionAttributeNames: { '#key': this.#key, '#status': 'status' },
          ExpressionAttributeValues: { ':pending': 'pending', ':hash': requestHash, ':now': nowMs },
        }),
      );
      return true;
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      await this.#checkAccepted(id, requestHash);
      return false;
    }
  }

  async #checkAccepted(id: string, requestHash: string): Promise<void> {
    const { Item } = await this.#documents.send(
      new GetCommand({ TableName: this.#table, Key: { [this.#key]: id }, ConsistentRead: true }),
    );
    const row = Item as Row | undefined;
    if (row && row.requestHash !== requestHash)
      throw new RequestMismatchError('The id is taken by another request');
    if (!row || row.status === 'pending')
      throw new RequestInProgressError('The same request is being taken in');
  }

  /** Does nothing where the task's outcome has already overtaken the request. */
  async #accept(id: string, listing: Readonly<Record<string, string>>): Promise<void> {
    const names = Object.keys(listing);
    await this.#updatePending(id, {
      UpdateExpression: `SET #status = :accepted, ${names.map((name) => `${name} = :${name}`).join(', ')} REMOVE heldUntilMs, expiresAt`,
      ExpressionAttributeValues: {
        ':accepted': 'accepted',
        ...Object.fromEntries(names.map((name) => [`:${name}`, listing[name]])),
      },
    });
  }

  async #letGo(id: string): Promise<void> {
    await this.#updatePending(id, {
      UpdateExpression: 'SET heldUntilMs = :zero',
      ExpressionAttributeValues: { ':zero': 0 },
    });
  }

  async #updatePending(
    id: string,
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
          ConditionExpression: '#status = :pending',
          UpdateExpression: update.UpdateExpression,
          ExpressionAttributeNames: { '#status': 'status' },
          ExpressionAttributeValues: { ...update.ExpressionAttributeValues, ':pending': 'pending' },
        }),
      );
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
    }
  }
}

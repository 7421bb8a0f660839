import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { v5 as uuidv5, v7 as uuidv7 } from 'uuid';
import { ClockWatch } from '../time/clock-watch.ts';
import type { Logger } from '../telemetry/logger.ts';
import { Problem } from './problem.ts';

/** How long a request has its row to itself while it sends its task; then another request with the same key may. */
const HOLD_SECONDS = 30;
/** How often, and after which rests, a request looks whether its twin has been accepted: for two seconds. */
const LOOKS = 21;
const LOOK_MS = 100;
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
  /** Who is taking a pending row in: one attempt of one request. */
  readonly holder?: string | undefined;
  /** A pending row is its holder's own until then, in milliseconds since 1970. */
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
  /** Members that make the row appear in the service's lists, if it has any; written once the request is accepted. */
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
  readonly logger: Logger;
  /** The time in milliseconds since 1970. Default: DynamoDB's, which all who share the table go by. */
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
  readonly #logger: Logger;
  readonly #clock: ClockWatch;

  constructor({ documents, table, key, logger, now }: IntakeOptions) {
    this.#documents = documents;
    this.#table = table;
    this.#key = key;
    this.#logger = logger;
    this.#clock = now ? new ClockWatch('DynamoDB', { now, answers: false }) : ClockWatch.of(documents);
    this.#clock.reportTo(logger);
  }

  /**
   * Takes a request in, unless it was taken in before.
   *
   * @throws RequestMismatchError when the id is taken by another request
   * @throws RequestInProgressError when the same request is being taken in by somebody else, and still is after 2 s
   * @throws whatever `sendTask` throws; the same request may then try again at once
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
    // The task is sent, so the request is accepted, come what may: where this fails the task's outcome shows the row
    await this.#markAccepted(id, holder, listing).catch((error: unknown) => {
      this.#logger.error({ id, error }, 'a request is accepted, but its row could not be marked as such');
    });
  }

  /** The same request may be at it right now: its answer is this one's, too, if it comes soon. */
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

  /** Whether the row is this request's own now; false when the same request was accepted before. */
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
            'attribute_not_exists(#key) OR (#status = :pending AND requestHash = :hash AND heldUntilMs < :now)',
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

  /** Whether it was this very attempt that wrote the row: the SDK makes a write again whose answer was lost. */
  async #isHeld(id: string, requestHash: string, holder: string): Promise<boolean> {
    const row = await this.#read(id);
    if (row && row.requestHash !== requestHash)
      throw new RequestMismatchError('The id is taken by another request');
    if (row && row.status !== 'pending') return false;
    if (row?.holder !== holder) throw new RequestInProgressError('The same request is being taken in');
    return true;
  }

  async #read(id: string): Promise<Row | undefined> {
    const { Item } = await this.#documents.send(
      new GetCommand({ TableName: this.#table, Key: { [this.#key]: id }, ConsistentRead: true }),
    );
    return Item as Row | undefined;
  }

  /** Does nothing where the task's outcome has already overtaken the request. */
  async #markAccepted(id: string, holder: string, listing: Readonly<Record<string, string>>): Promise<void> {
    const names = Object.keys(listing);
    const set = ['#status = :accepted', ...names.map((name) => `${name} = :${name}`)].join(', ');
    await this.#updatePending(id, holder, {
      UpdateExpression: `SET ${set} REMOVE holder, heldUntilMs, expiresAt`,
      ExpressionAttributeValues: {
        ':accepted': 'accepted',
        ...Object.fromEntries(names.map((name) => [`:${name}`, listing[name]])),
      },
    });
  }

  async #letGo(id: string, holder: string): Promise<void> {
    await this.#updatePending(id, holder, {
      UpdateExpression: 'SET heldUntilMs = :zero',
      ExpressionAttributeValues: { ':zero': 0 },
    });
  }

  /** Does nothing where the row is no longer this attempt's. */
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

const MAX_KEY_CHARACTERS = 255;
/** What the header may hold: a String of RFC 8941, with its quotes or without. */
const PRINTABLE = /^[\x20-\x7E]+$/;

/**
 * The id of the thing that a request makes: of the same key always the same, of no key a new uuid v7.
 *
 * @param namespace - a uuid of the caller's, so that one key may be used with several routes
 * @throws Problem 400 when the `Idempotency-Key` header is not 1 to 255 printable ASCII characters
 */
export function idOfRequest(
  headers: Readonly<Record<string, string | undefined>>,
  namespace: string,
): string {
  const key = headers['idempotency-key'];
  if (key === undefined) return uuidv7();
  if (key.length <= MAX_KEY_CHARACTERS && PRINTABLE.test(key)) return uuidv5(key, namespace);
  throw new Problem('invalid-request', {
    detail: `The Idempotency-Key is not 1 to ${MAX_KEY_CHARACTERS} printable ASCII characters.`,
  });
}

/** A digest by which a repeated request is told from another one. Give it the checked body, whose members have one order. */
export function hashOfRequest(body: unknown): string {
  return createHash('sha256').update(JSON.stringify(body)).digest('base64url');
}

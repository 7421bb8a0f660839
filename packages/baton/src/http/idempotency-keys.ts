// Idempotency keys: which resource a caller's key stands for.
import { createHash } from 'node:crypto';
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { v5 as uuidv5, v7 as uuidv7 } from 'uuid';
import { ClockWatch } from '../time/clock-watch.ts';
import type { Caller } from './caller.ts';
import { RequestInProgressError, RequestMismatchError } from './intake.ts';
import { Problem } from './problem.ts';

const MAX_KEY_CHARACTERS = 255;
/** The value of the header: a String of RFC 8941, with or without its quotes. */
const PRINTABLE = /^[\x20-\x7E]+$/;
const DAY_SECONDS = 86_400;

/** Configures the idempotency keys of a route. */
export interface IdempotencyKeysOptions {
  readonly documents: DynamoDBDocumentClient;
  /** The service's table. The keys have records of their own in it. */
  readonly table: string;
  /** The name of the table's partition key. */
  readonly key: string;
  /** A uuid of the route, so that several routes may get the same key. */
  readonly namespace: string;
  /** How long a key stands for its first request, in seconds. Default 86,400: a day. */
  readonly seconds?: number;
  /** The time in milliseconds since 1970. Default: DynamoDB's, which all processes share. */
  readonly now?: () => number;
}

/** A request that creates a resource. */
export interface KeyedRequest {
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly caller: Pick<Caller, 'subject'>;
  /** A digest of the request's body: see `hashOfRequest`. */
  readonly requestHash: string;
}

/** What a key stands for. */
interface Meaning {
  readonly resourceId: string;
  readonly requestHash: string;
}

/** The record of a key. It has the status of a pending row, so that readers skip it as they skip such a row. */
interface KeyRecord extends Meaning {
  readonly status: 'pending';
  /** DynamoDB's time to live, in seconds since 1970. */
  readonly expiresAt: number;
}

/**
 * The idempotency keys of a route. A key belongs to the caller who sent it: the same key of another caller stands for
 * another resource, and tells nothing of the first. Anonymous callers share their keys.
 *
 * The record of a key is written before the row of its resource. After a crash in between, the repeated request finds the
 * same id and writes the row.
 */
export class IdempotencyKeys {
  readonly #options: IdempotencyKeysOptions;
  readonly #clock: ClockWatch;

  constructor(options: IdempotencyKeysOptions) {
    const { documents, now } = options;
    this.#options = options;
    this.#clock = now ? new ClockWatch('DynamoDB', { now, answers: false }) : ClockWatch.of(documents);
  }

  /**
   * The id of the resource that a request creates: a new uuid v7, or the one that the caller's `Idempotency-Key` already
   * stands for.
   *
   * @throws Problem 400 if the header is not 1 to 255 printable ASCII characters
   * @throws RequestMismatchError if the caller has used the key for another request
   */
  async idOf({ headers, caller, requestHash }: KeyedRequest): Promise<string> {
    const key = keyOf(headers);
    if (key === undefined) return uuidv7();
    const recordId = this.#recordId(caller.subject, key);
    await this.#clock.known(() => this.#read(recordId));
    const known = (await this.#find(recordId)) ?? (await this.#begin(recordId, key, requestHash));
    if (known.requestHash === requestHash) return known.resourceId;
    throw new RequestMismatchError('The idempotency key belongs to another request of the same caller');
  }

  async #begin(recordId: string, key: string, requestHash: string): Promise<Meaning> {
    const former = await this.#former(key, requestHash);
    if (former) return former;
    const { documents, table, key: attribute, seconds = DAY_SECONDS } = this.#options;
    const nowSeconds = this.#nowSeconds();
    const record: KeyRecord = {
      status: 'pending',
      resourceId: uuidv7(),
      requestHash,
      expiresAt: nowSeconds + seconds,
    };
    try {
      await documents.send(
        new PutCommand({
          TableName: table,
          Item: { ...record, [attribute]: recordId },
          // The time to live may take days to delete what has expired
          ConditionExpression: 'attribute_not_exists(#key) OR expiresAt <= :now',
          ExpressionAttributeNames: { '#key': attribute },
          ExpressionAttributeValues: { ':now': nowSeconds },
        }),
      );
      return record;
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      // Written by the same request at the same moment, or by this one: the SDK may retry a write that had succeeded
      const other = await this.#find(recordId);
      if (other) return other;
      throw new RequestInProgressError('The idempotency key expires at this moment');
    }
  }

  /**
   * The meaning of a key in version 0.1, which made the id from the key alone, for every caller. A request that it accepted
   * is not accepted again. Another body is another request, so no caller learns that somebody else used the key.
   */
  async #former(key: string, requestHash: string): Promise<Meaning | undefined> {
    const resourceId = uuidv5(key, this.#options.namespace);
    const row = await this.#read(resourceId);
    return row?.['requestHash'] === requestHash ? { resourceId, requestHash } : undefined;
  }

  /** Finds the record of a key, unless it has expired. */
  async #find(recordId: string): Promise<KeyRecord | undefined> {
    const record = (await this.#read(recordId)) as KeyRecord | undefined;
    return record && record.expiresAt > this.#nowSeconds() ? record : undefined;
  }

  async #read(id: string): Promise<Readonly<Record<string, unknown>> | undefined> {
    const { documents, table, key } = this.#options;
    const { Item } = await documents.send(
      new GetCommand({ TableName: table, Key: { [key]: id }, ConsistentRead: true }),
    );
    return Item;
  }

  #nowSeconds(): number {
    return Math.floor(this.#clock.nowMs / 1000);
  }

  #recordId(subject: string, key: string): string {
    const parts = JSON.stringify([this.#options.namespace, subject, key]);
    return `key#${createHash('sha256').update(parts).digest('base64url')}`;
  }
}

function keyOf(headers: Readonly<Record<string, string | undefined>>): string | undefined {
  const key = headers['idempotency-key'];
  if (key === undefined || (key.length <= MAX_KEY_CHARACTERS && PRINTABLE.test(key))) return key;
  throw new Problem('invalid-request', {
    detail: `The Idempotency-Key is invalid: expected 1 to ${MAX_KEY_CHARACTERS} printable ASCII characters.`,
  });
}

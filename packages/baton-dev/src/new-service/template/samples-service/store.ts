import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { messageForCallers, type TaskEnd } from 'baton-tasks';
import { eraseRow, Intake, type IntakeRow, type Retention } from 'baton-tasks/http';
import type { Logger } from 'baton-tasks/service';
import type { Sample } from '../contracts/samples.ts';

/** The states of a sample whose task has ended. */
const ENDED = ['recorded', 'failed', 'cancelled'] as const;

/**
 * The state of a sample. `pending`: SQS has not accepted its task yet. `deleted`: only the row's id and token are left.
 * Callers see neither.
 */
export type SampleStatus = 'pending' | 'accepted' | 'deleted' | (typeof ENDED)[number];

/** The row of a sample. */
export interface SampleRow extends IntakeRow, Sample {
  readonly status: SampleStatus;
  /** The subject of the caller who posted it. */
  readonly owner: string;
  /** When it was posted, ISO 8601. */
  readonly createdAt: string;
  readonly recordedAt?: string;
  /** Why it could not be recorded. */
  readonly failure?: string;
  /** The token of the latest known end without success. */
  readonly taskToken?: number;
}

/** A new sample and its task. */
export interface NewSample {
  readonly sample: Sample;
  /** The subject of the caller. */
  readonly owner: string;
  /** A hash of the request: a repeated request has the same. */
  readonly requestHash: string;
  readonly sendTask: () => Promise<unknown>;
}

/** Configures the store of samples. */
export interface SampleStoreOptions {
  readonly documents: DynamoDBDocumentClient;
  readonly table: string;
  readonly logger: Logger;
  /** How long a sample is kept after its last change. */
  readonly retention: Retention;
}

/** The service's samples, a row each, in its own table. No other service reads or writes it. */
export class SampleStore {
  readonly #documents: DynamoDBDocumentClient;
  readonly #table: string;
  readonly #retention: Retention;
  readonly #intake: Intake<SampleRow>;

  constructor({ documents, table, logger, retention }: SampleStoreOptions) {
    this.#documents = documents;
    this.#table = table;
    this.#retention = retention;
    this.#intake = new Intake({ documents, table, logger, retention, key: 'sampleId' });
  }

  /** Accepts a sample and sends its task. Throws what `Intake.accept` throws. */
  async accept({ sample, owner, requestHash, sendTask }: NewSample): Promise<void> {
    const row = { ...sample, owner, createdAt: new Date().toISOString() };
    await this.#intake.accept({ id: sample.sampleId, requestHash, row, listing: {}, sendTask });
  }

  /** Finds an accepted sample. One whose time is over is gone, even if DynamoDB has not deleted it yet. */
  async find(sampleId: string): Promise<SampleRow | undefined> {
    const row = await this.#read(sampleId);
    if (!row || row.status === 'pending' || row.status === 'deleted') return undefined;
    return this.#retention.isOver(row) ? undefined : row;
  }

  /**
   * Deletes a sample whose task has ended. Its id, its token and the request's digest are left for 36 days, so that late
   * messages and a repeated request do not bring it back.
   *
   * @param by - the subject of the caller
   * @returns whether it was deleted: not if its task has not ended, or it has changed since it was read
   */
  erase({ sampleId, requestHash, taskToken }: SampleRow, by: string): Promise<boolean> {
    const rest = { sampleId, requestHash };
    return eraseRow({ documents: this.#documents, table: this.#table, rest, ended: ENDED, taskToken, by });
  }

  /**
   * Records a sample, once however often it is called. Its task may run before its request is marked accepted.
   *
   * @returns when it was first recorded, ISO 8601; undefined if there is no such sample
   */
  async record(sampleId: string): Promise<string | undefined> {
    const { renewal } = this.#retention;
    try {
      const { Attributes } = await this.#documents.send(
        new UpdateCommand({
          TableName: this.#table,
          Key: { sampleId },
          ConditionExpression: 'attribute_exists(sampleId) AND #status <> :deleted',
          UpdateExpression: `SET #status = :recorded, recordedAt = if_not_exists(recordedAt, :now)${renewal.set} REMOVE holder, heldUntilMs, failure${renewal.remove}`,
          ExpressionAttributeNames: { '#status': 'status' },
          ExpressionAttributeValues: {
            ':recorded': 'recorded',
            ':deleted': 'deleted',
            ':now': new Date().toISOString(),
            ...renewal.values,
          },
          ReturnValues: 'ALL_NEW',
        }),
      );
      return (Attributes as SampleRow).recordedAt;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return undefined;
      throw error;
    }
  }

  /**
   * Records that the task of a sample ended without success, unless the sample was recorded, or a later end is known.
   * Resolves to whether it was written.
   */
  async recordEnd({ taskId: sampleId, state, token, error }: TaskEnd): Promise<boolean> {
    if (state === 'succeeded') return false;
    const { renewal } = this.#retention;
    try {
      await this.#documents.send(
        new UpdateCommand({
          TableName: this.#table,
          Key: { sampleId },
          ConditionExpression:
            'attribute_exists(sampleId) AND NOT #status IN (:recorded, :deleted) AND (attribute_not_exists(taskToken) OR taskToken < :token)',
          UpdateExpression: `SET #status = :status, failure = :failure, taskToken = :token${renewal.set} REMOVE holder, heldUntilMs${renewal.remove}`,
          ExpressionAttributeNames: { '#status': 'status' },
          ExpressionAttributeValues: {
            ':recorded': 'recorded',
            ':deleted': 'deleted',
            ':status': state === 'cancelled' ? 'cancelled' : 'failed',
            ':failure': messageForCallers(
              error,
              error ? 'It could not be recorded' : 'Its task was cancelled',
            ),
            ':token': token,
            ...renewal.values,
          },
        }),
      );
      return true;
    } catch (refusal) {
      if (refusal instanceof ConditionalCheckFailedException) return false;
      throw refusal;
    }
  }

  /** Resolves when the table can be read. */
  async ping(): Promise<void> {
    await this.#read('ping');
  }

  async #read(sampleId: string): Promise<SampleRow | undefined> {
    const { Item } = await this.#documents.send(
      new GetCommand({ TableName: this.#table, Key: { sampleId }, ConsistentRead: true }),
    );
    return Item as SampleRow | undefined;
  }
}

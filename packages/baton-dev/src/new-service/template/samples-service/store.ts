import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { messageForCallers, type TaskEnd } from 'baton-tasks';
import { Intake, type IntakeRow } from 'baton-tasks/http';
import type { Logger } from 'baton-tasks/service';
import type { Sample } from '../contracts/samples.ts';

/** The state of a sample. `pending`: SQS has not accepted its task yet; callers do not see it. */
export type SampleStatus = 'pending' | 'accepted' | 'recorded' | 'failed' | 'cancelled';

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

/** The service's samples, a row each, in its own table. No other service reads or writes it. */
export class SampleStore {
  readonly #documents: DynamoDBDocumentClient;
  readonly #table: string;
  readonly #intake: Intake<SampleRow>;

  constructor(documents: DynamoDBDocumentClient, table: string, logger: Logger) {
    this.#documents = documents;
    this.#table = table;
    this.#intake = new Intake({ documents, table, logger, key: 'sampleId' });
  }

  /** Accepts a sample and sends its task. Throws what `Intake.accept` throws. */
  async accept({ sample, owner, requestHash, sendTask }: NewSample): Promise<void> {
    const row = { ...sample, owner, createdAt: new Date().toISOString() };
    await this.#intake.accept({ id: sample.sampleId, requestHash, row, listing: {}, sendTask });
  }

  /** Finds an accepted sample. */
  async find(sampleId: string): Promise<SampleRow | undefined> {
    const row = await this.#read(sampleId);
    return row?.status === 'pending' ? undefined : row;
  }

  /**
   * Records a sample, once however often it is called. Its task may run before its request is marked accepted.
   *
   * @returns when it was first recorded, ISO 8601; undefined if there is no such sample
   */
  async record(sampleId: string): Promise<string | undefined> {
    try {
      const { Attributes } = await this.#documents.send(
        new UpdateCommand({
          TableName: this.#table,
          Key: { sampleId },
          ConditionExpression: 'attribute_exists(sampleId)',
          UpdateExpression:
            'SET #status = :recorded, recordedAt = if_not_exists(recordedAt, :now) REMOVE holder, heldUntilMs, expiresAt, failure',
          ExpressionAttributeNames: { '#status': 'status' },
          ExpressionAttributeValues: { ':recorded': 'recorded', ':now': new Date().toISOString() },
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
    try {
      await this.#documents.send(
        new UpdateCommand({
          TableName: this.#table,
          Key: { sampleId },
          ConditionExpression:
            'attribute_exists(sampleId) AND #status <> :recorded AND (attribute_not_exists(taskToken) OR taskToken < :token)',
          UpdateExpression:
            'SET #status = :status, failure = :failure, taskToken = :token REMOVE holder, heldUntilMs, expiresAt',
          ExpressionAttributeNames: { '#status': 'status' },
          ExpressionAttributeValues: {
            ':recorded': 'recorded',
            ':status': state === 'cancelled' ? 'cancelled' : 'failed',
            ':failure': messageForCallers(
              error,
              error ? 'It could not be recorded' : 'Its task was cancelled',
            ),
            ':token': token,
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

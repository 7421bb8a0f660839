import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { Intake, type IntakeRow } from '@baton/common/state/intake';
import type { Logger } from '@baton/common/telemetry/logger';
import type { Sample } from '../contracts/samples.ts';

/** How far a sample has come; `pending` before SQS has taken its task, which nobody is shown. */
export type SampleStatus = 'pending' | 'accepted' | 'recorded';

/** A sample as it stands in the table. */
export interface SampleRow extends IntakeRow, Sample {
  readonly status: SampleStatus;
  /** When it was posted, ISO 8601. */
  readonly createdAt: string;
  readonly recordedAt?: string;
}

/** A new sample and its task. */
export interface NewSample {
  readonly sample: Sample;
  /** A digest of the request, by which a repeated one is known. */
  readonly requestHash: string;
  readonly sendTask: () => Promise<unknown>;
}

/** The samples of this service, one row each, in its own table, which no other service reads or writes. */
export class SampleStore {
  readonly #documents: DynamoDBDocumentClient;
  readonly #table: string;
  readonly #intake: Intake<SampleRow>;

  constructor(documents: DynamoDBDocumentClient, table: string, logger: Logger) {
    this.#documents = documents;
    this.#table = table;
    this.#intake = new Intake({ documents, table, logger, key: 'sampleId' });
  }

  /** Takes a sample in and sends its task; see Intake for what it throws. */
  async take({ sample, requestHash, sendTask }: NewSample): Promise<void> {
    const row = { ...sample, createdAt: new Date().toISOString() };
    await this.#intake.take({ id: sample.sampleId, requestHash, row, listing: {}, sendTask });
  }

  /** The sample of that id, if it was accepted. */
  async find(sampleId: string): Promise<SampleRow | undefined> {
    const row = await this.#read(sampleId);
    return row?.status === 'pending' ? undefined : row;
  }

  /**
   * Writes down that a sample is recorded, once however often it is called. Its task may overtake its acceptance.
   *
   * @returns when it was first recorded, ISO 8601; nothing where there is no such sample
   */
  async record(sampleId: string): Promise<string | undefined> {
    try {
      const { Attributes } = await this.#documents.send(
        new UpdateCommand({
          TableName: this.#table,
          Key: { sampleId },
          ConditionExpression: 'attribute_exists(sampleId)',
          UpdateExpression:
            'SET #status = :recorded, recordedAt = if_not_exists(recordedAt, :now) REMOVE holder, heldUntilMs, expiresAt',
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

import { ConditionalCheckFailedException, CreateTableCommand } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, PutCommand, ScanCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';

const REFUSAL = 'attribute_not_exists(effect)';

/** The other side of an effect: a table that takes one row for each idempotency key, and counts who asks again. */
export class EffectSink {
  readonly #documents: DynamoDBDocumentClient;
  /** Its table: what a worker of tracked tasks is given as EFFECTS_TABLE. */
  readonly table: string;

  constructor(documents: DynamoDBDocumentClient, table: string) {
    this.#documents = documents;
    this.table = table;
  }

  /** Creates the table of a sink that is not there yet. */
  static async create(documents: DynamoDBDocumentClient, table: string): Promise<EffectSink> {
    await documents.send(
      new CreateTableCommand({
        TableName: table,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [{ AttributeName: 'effect', AttributeType: 'S' }],
        KeySchema: [{ AttributeName: 'effect', KeyType: 'HASH' }],
      }),
    );
    return new EffectSink(documents, table);
  }

  /** Inserts a row under an idempotency key; where there is one already, that is noted apart, and is no error. */
  async insert(effect: string): Promise<void> {
    try {
      await this.#documents.send(
        new PutCommand({
          TableName: this.table,
          Item: { effect, again: 0, worker: process.env['WORKER_ID'] ?? '' },
          ConditionExpression: REFUSAL,
        }),
      );
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      await this.#documents.send(
        new UpdateCommand({
          TableName: this.table,
          Key: { effect },
          UpdateExpression: 'ADD again :one',
          ExpressionAttributeValues: { ':one': 1 },
        }),
      );
    }
  }

  /** How often each effect was asked for beyond the first time, by its idempotency key. */
  async rows(): Promise<ReadonlyMap<string, number>> {
    const rows = new Map<string, number>();
    let from: Record<string, unknown> | undefined;
    do {
      const { Items = [], LastEvaluatedKey } = await this.#documents.send(
        new ScanCommand({ TableName: this.table, ConsistentRead: true, ExclusiveStartKey: from }),
      );
      for (const { effect, again } of Items as { effect: string; again: number }[]) rows.set(effect, again);
      from = LastEvaluatedKey;
    } while (from);
    return rows;
  }
}

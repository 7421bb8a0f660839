import { ConditionalCheckFailedException, CreateTableCommand } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, PutCommand, ScanCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';

const REFUSAL = 'attribute_not_exists(effect)';

/** A table that effects write to: one row for each idempotency key, with a count of repeated requests. */
export class EffectSink {
  readonly #documents: DynamoDBDocumentClient;
  /** The name of its table, for EFFECTS_TABLE of workers of tracked tasks. */
  readonly table: string;

  constructor(documents: DynamoDBDocumentClient, table: string) {
    this.#documents = documents;
    this.table = table;
  }

  /** Creates a sink and its table. */
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

  /**
   * Inserts a row under an idempotency key. If the row exists, counts the repetition instead, without an error.
   *
   * @param token - the fencing token of the attempt that asks. Default: 0, for none
   */
  async insert(effect: string, token = 0): Promise<void> {
    try {
      await this.#documents.send(
        new PutCommand({
          TableName: this.table,
          Item: { effect, again: 0, token },
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

  /** The number of repeated requests of each effect, by idempotency key. */
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

import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import {
  type DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  type PutCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { DEFAULT_TTL_DAYS, type TaskRow } from './task-row.ts';

const DAY_SECONDS = 86_400;
/** Names that DynamoDB keeps for itself (Reserved words in DynamoDB), as expressions write them. */
const RESERVED = { '#state': 'state', '#owner': 'owner', '#token': 'token' };

/** Values of an expression, by their placeholders. */
export type RowValues = Readonly<Record<string, unknown>>;

/** Where a task store keeps its rows. */
export interface TaskTableOptions {
  readonly documents: DynamoDBDocumentClient;
  readonly table: string;
  /** How long a task is known after it was sent, and again after it has ended, in days. Default 14. */
  readonly ttlDays?: number;
  /** The time in milliseconds since 1970. Default: the system's. */
  readonly now?: () => number;
}

/** The table of a task store: conditional writes of a row, and the times that stand in it. */
export class TaskTable {
  readonly documents: DynamoDBDocumentClient;
  readonly name: string;
  readonly #ttlSeconds: number;
  readonly #now: () => number;

  constructor({ documents, table, ttlDays = DEFAULT_TTL_DAYS, now = Date.now }: TaskTableOptions) {
    this.documents = documents;
    this.name = table;
    this.#ttlSeconds = ttlDays * DAY_SECONDS;
    this.#now = now;
  }

  /** Now, in milliseconds since 1970. */
  get nowMs(): number {
    return this.#now();
  }

  /** Now, in ISO 8601. */
  get iso(): string {
    return new Date(this.#now()).toISOString();
  }

  /** The time in so many seconds from now, in ISO 8601. */
  isoIn(seconds: number): string {
    return new Date(this.#now() + seconds * 1000).toISOString();
  }

  /** Now, in whole seconds since 1970. */
  get seconds(): number {
    return Math.floor(this.#now() / 1000);
  }

  /** When a row that is written now expires, in seconds since 1970; one that waits until then, so long after it. */
  expiry(notBefore?: string): number {
    const fromMs = Math.max(this.#now(), notBefore === undefined ? 0 : Date.parse(notBefore));
    return Math.floor(fromMs / 1000) + this.#ttlSeconds;
  }

  /** The row of that key, as it stands. */
  async get(taskId: string): Promise<object | undefined> {
    const { Item } = await this.documents.send(
      new GetCommand({ TableName: this.name, Key: { taskId }, ConsistentRead: true }),
    );
    return Item;
  }

  /** Gives the row as it is after the update; `undefined` where its condition did not hold. */
  async update(
    taskId: string,
    condition: string,
    update: string,
    values: RowValues,
    names: Readonly<Record<string, string>> = {},
  ): Promise<TaskRow | undefined> {
    const text = `${condition} ${update}`;
    const reserved = Object.entries(RESERVED).filter(([name]) => text.includes(name));
    const used = { ...Object.fromEntries(reserved), ...names };
    const answer = await this.unlessRefused(
      new UpdateCommand({
        TableName: this.name,
        Key: { taskId },
        ConditionExpression: condition,
        UpdateExpression: update,
        // DynamoDB refuses an empty one
        ...(Object.keys(used).length > 0 && { ExpressionAttributeNames: used }),
        ExpressionAttributeValues: values,
        ReturnValues: 'ALL_NEW',
      }),
    );
    return answer && (answer as { Attributes?: TaskRow }).Attributes;
  }

  /** The answer to a conditional write; `undefined` where the condition did not hold. */
  async unlessRefused(command: PutCommand | UpdateCommand | DeleteCommand): Promise<object | undefined> {
    try {
      return await this.documents.send(command as UpdateCommand);
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return undefined;
      throw error;
    }
  }
}

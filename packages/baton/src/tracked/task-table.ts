import { setTimeout as sleep } from 'node:timers/promises';
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import {
  BatchGetCommand,
  type DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  type PutCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { ClockWatch } from '../time/clock-watch.ts';
import { BrokenAnswerError } from '../aws/answers.ts';
import { DEFAULT_TTL_DAYS, type TaskRow } from './task-row.ts';

const DAY_SECONDS = 86_400;
/** So many requests in a row may bring none of the rows that were asked for. */
const MAX_IN_VAIN = 5;
const UNPROCESSED_REST_MS = 25;
/** Names that DynamoDB keeps for itself (Reserved words in DynamoDB), as expressions write them. */
const RESERVED = { '#state': 'state', '#owner': 'owner', '#token': 'token', '#depth': 'depth' };

/** Values of an expression, by their placeholders. */
export type RowValues = Readonly<Record<string, unknown>>;

/** Where a task store keeps its rows. */
export interface TaskTableOptions {
  readonly documents: DynamoDBDocumentClient;
  readonly table: string;
  /** How long a task is known after it was sent, and again after it has ended, in days. Default 14. */
  readonly ttlDays?: number;
  /** The time in milliseconds since 1970. Default: DynamoDB's, which all who share the table go by. */
  readonly now?: () => number;
}

/** The table of a task store: conditional writes of a row, and the times that stand in it. */
export class TaskTable {
  readonly documents: DynamoDBDocumentClient;
  readonly name: string;
  /** The time that its rows are written and compared by. */
  readonly clock: ClockWatch;
  /** How long a task is known after it was sent, and again after it has ended. */
  readonly ttlSeconds: number;

  constructor({ documents, table, ttlDays = DEFAULT_TTL_DAYS, now }: TaskTableOptions) {
    this.documents = documents;
    this.name = table;
    this.ttlSeconds = ttlDays * DAY_SECONDS;
    this.clock = now ? new ClockWatch('DynamoDB', { now, answers: false }) : ClockWatch.of(documents);
  }

  /**
   * Resolves once DynamoDB's time is known, which costs a request at the start of a process and after its clock was set.
   * Whoever writes a time waits for it first: one written by a wrong clock would bind all others.
   *
   * @throws whatever the request throws
   */
  timeKnown(): Promise<void> {
    return this.clock.known(() => this.get('clock'));
  }

  /** Now, in milliseconds since 1970. */
  get nowMs(): number {
    return this.clock.nowMs;
  }

  /** Now, in ISO 8601. */
  get iso(): string {
    return new Date(this.nowMs).toISOString();
  }

  /** The time in so many seconds from now, in ISO 8601. */
  isoIn(seconds: number): string {
    return new Date(this.nowMs + seconds * 1000).toISOString();
  }

  /** Now, in whole seconds since 1970. */
  get seconds(): number {
    return Math.floor(this.nowMs / 1000);
  }

  /** When a row that is written now expires, in seconds since 1970; one that waits until then, so long after it. */
  expiry(notBefore?: string): number {
    const fromMs = Math.max(this.nowMs, notBefore === undefined ? 0 : Date.parse(notBefore));
    return Math.floor(fromMs / 1000) + this.ttlSeconds;
  }

  /** The row of that key, as it stands. */
  async get(taskId: string): Promise<object | undefined> {
    const { Item } = await this.documents.send(
      new GetCommand({ TableName: this.name, Key: { taskId }, ConsistentRead: true }),
    );
    return Item;
  }

  /**
   * The rows of at most 100 keys, in no order. DynamoDB may leave some for another request.
   *
   * @throws BrokenAnswerError when it leaves all of them five times in a row
   */
  async getAll(taskIds: readonly string[]): Promise<object[]> {
    const rows: object[] = [];
    let keys: Record<string, unknown>[] = taskIds.map((taskId) => ({ taskId }));
    for (let inVain = 0; keys.length > 0;) {
      const { Responses, UnprocessedKeys = {} } = await this.documents.send(
        new BatchGetCommand({ RequestItems: { [this.name]: { Keys: keys, ConsistentRead: true } } }),
      );
      if (!Responses) throw new BrokenAnswerError('BatchGetItem', 'it has no responses');
      rows.push(...(Responses[this.name] ?? []));
      const left = UnprocessedKeys[this.name]?.Keys ?? [];
      inVain = left.length < keys.length ? 0 : inVain + 1;
      if (inVain >= MAX_IN_VAIN)
        throw new BrokenAnswerError('BatchGetItem', 'it leaves every row for another one');
      if (left.length > 0) await sleep(UNPROCESSED_REST_MS * 2 ** inVain);
      keys = left;
    }
    return rows;
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
    if (!answer) return undefined;
    const { Attributes } = answer as { Attributes?: TaskRow };
    if (!Attributes) throw new BrokenAnswerError('UpdateItem', 'it has no row, and refuses nothing');
    return Attributes;
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

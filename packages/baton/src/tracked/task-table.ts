// The table of the task store in DynamoDB.
import { setTimeout as sleep } from 'node:timers/promises';
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import {
  BatchGetCommand,
  type DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { ClockWatch } from '../time/clock-watch.ts';
import { BrokenAnswerError } from '../aws/answers.ts';
import type { SignedRow, Signatures } from '../sqs/signatures.ts';
import { TaskConflictError } from '../task/errors.ts';
import { DEFAULT_TTL_DAYS, rowOf, type TaskRow } from './task-row.ts';

const DAY_SECONDS = 86_400;
/** The most requests in a row that bring none of the rows. */
const MAX_IN_VAIN = 5;
const UNPROCESSED_REST_MS = 25;
/** Placeholders for names that DynamoDB reserves (Reserved words in DynamoDB). */
const RESERVED = { '#state': 'state', '#owner': 'owner', '#token': 'token', '#depth': 'depth' };

/** The values of an expression, by their placeholders. */
export type RowValues = Readonly<Record<string, unknown>>;

/** Configures a task store. */
export interface TaskTableOptions {
  readonly documents: DynamoDBDocumentClient;
  readonly table: string;
  /** How long a row is kept after its task was sent, and again after the task has ended, in days. Default 14. */
  readonly ttlDays?: number;
  /** The time in milliseconds since 1970. Default: DynamoDB's, which all processes share. */
  readonly now?: () => number;
  /** Sign rows and check them. Default: they are not signed. */
  readonly signatures?: Signatures | undefined;
}

/** Reads and conditionally writes rows of the task store's table, and gives the times for them. */
export class TaskTable {
  readonly documents: DynamoDBDocumentClient;
  readonly name: string;
  /** Gives the time that rows are written and compared with. */
  readonly clock: ClockWatch;
  /** How long a row is kept after its task was sent, and again after the task has ended. */
  readonly ttlSeconds: number;
  readonly signatures: Signatures | undefined;

  constructor({ documents, table, ttlDays = DEFAULT_TTL_DAYS, now, signatures }: TaskTableOptions) {
    this.signatures = signatures;
    this.documents = documents;
    this.name = table;
    this.ttlSeconds = ttlDays * DAY_SECONDS;
    this.clock = now ? new ClockWatch('DynamoDB', { now, answers: false }) : ClockWatch.of(documents);
  }

  /**
   * Resolves once DynamoDB's time is known, which costs a request at the start of a process and after its clock was set.
   * Await it before a time is written, because a time from a wrong clock would mislead all other processes.
   *
   * @throws the errors of the request
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

  /**
   * When a row that is written now expires, in seconds since 1970.
   *
   * @param notBefore - the earliest start time of its task, ISO 8601. The row is kept for that much longer
   */
  expiry(notBefore?: string): number {
    const fromMs = Math.max(this.nowMs, notBefore === undefined ? 0 : Date.parse(notBefore));
    return Math.floor(fromMs / 1000) + this.ttlSeconds;
  }

  /** Reads the row with this key, even if it has expired. */
  async get(taskId: string): Promise<object | undefined> {
    const { Item } = await this.documents.send(
      new GetCommand({ TableName: this.name, Key: { taskId }, ConsistentRead: true }),
    );
    return Item && rowOf(Item);
  }

  /**
   * Reads the rows of at most 100 keys, in any order. DynamoDB may leave some for another request.
   *
   * @param only - the attributes to read beside the key. Default: all
   * @throws BrokenAnswerError if it leaves all of them five times in a row
   */
  async getAll(taskIds: readonly string[], only?: readonly string[]): Promise<object[]> {
    const names = ['taskId', ...(only ?? [])];
    const projection = only && {
      ProjectionExpression: names.map((name) => `#${name}`).join(', '),
      ExpressionAttributeNames: Object.fromEntries(names.map((name) => [`#${name}`, name])),
    };
    const rows: object[] = [];
    let keys: Record<string, unknown>[] = taskIds.map((taskId) => ({ taskId }));
    for (let inVain = 0; keys.length > 0;) {
      const { Responses, UnprocessedKeys = {} } = await this.documents.send(
        new BatchGetCommand({
          RequestItems: { [this.name]: { Keys: keys, ConsistentRead: true, ...projection } },
        }),
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

  /**
   * Signs and writes a new row. Resolves to false if there is one with its key that has not expired.
   *
   * @throws TaskConflictError if there is one that has expired, and this process's role may not replace rows
   */
  async create(row: SignedRow & { readonly taskId: string }): Promise<boolean> {
    const signature = await this.signatures?.ofRow(row);
    const signed = signature === undefined ? row : { ...row, signature };
    return (await this.#insert(signed)) || this.#replaceExpired(signed);
  }

  /** An update, because the role of a sender may only write some attributes, and a put would replace all of them. */
  async #insert({ taskId, ...members }: { readonly taskId: string }): Promise<boolean> {
    const given = Object.entries(members).filter(([, value]) => value !== undefined);
    const answer = await this.unlessRefused(
      new UpdateCommand({
        TableName: this.name,
        Key: { taskId },
        ConditionExpression: 'attribute_not_exists(taskId)',
        UpdateExpression: `SET ${given.map(([name]) => `#${name} = :${name}`).join(', ')}`,
        ExpressionAttributeNames: Object.fromEntries(given.map(([name]) => [`#${name}`, name])),
        ExpressionAttributeValues: Object.fromEntries(
          given.map(([name, value]): [string, unknown] => [`:${name}`, value]),
        ),
      }),
    );
    return answer !== undefined;
  }

  async #replaceExpired(row: { readonly taskId: string }): Promise<boolean> {
    const known = (await this.get(row.taskId)) as Pick<TaskRow, 'expiresAt'> | undefined;
    if (known && !(known.expiresAt < this.seconds)) return false;
    const put = new PutCommand({
      TableName: this.name,
      Item: row,
      ConditionExpression: 'attribute_not_exists(taskId) OR expiresAt < :now',
      ExpressionAttributeValues: { ':now': this.seconds },
    });
    return this.unlessRefused(put).then(
      (answer) => answer !== undefined,
      (error: Error) => {
        if (error.name !== 'AccessDeniedException') throw error;
        throw new TaskConflictError(
          `The id ${row.taskId} belongs to a task or group that has expired, and whose row DynamoDB deletes within days: expected another id until then`,
        );
      },
    );
  }

  /** Updates a row. Resolves to the row after that; to undefined if the condition did not hold. */
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
        // DynamoDB refuses an empty object
        ...(Object.keys(used).length > 0 && { ExpressionAttributeNames: used }),
        ExpressionAttributeValues: values,
        ReturnValues: 'ALL_NEW',
      }),
    );
    if (!answer) return undefined;
    const { Attributes } = answer as { Attributes?: object };
    if (!Attributes) throw new BrokenAnswerError('UpdateItem', 'it has no row, and refuses nothing');
    return rowOf(Attributes);
  }

  /** Makes a conditional write. Resolves to the answer; to undefined if the condition did not hold. */
  async unlessRefused(command: PutCommand | UpdateCommand | DeleteCommand): Promise<object | undefined> {
    try {
      return await this.documents.send(command as UpdateCommand);
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return undefined;
      throw error;
    }
  }
}

// The table of a task store in memory.
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import {
  BatchGetCommand,
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { copyOf, type Item, meets, updated } from './expression.ts';

interface ConditionalInput {
  readonly ConditionExpression?: string | undefined;
  readonly ExpressionAttributeNames?: Record<string, string> | undefined;
  readonly ExpressionAttributeValues?: Record<string, unknown> | undefined;
}

/** The table of a task store, in memory. Rows are read and written as copies. */
export class MemoryTable {
  readonly #rows = new Map<string, Item>();

  /** A document client of DynamoDB with the commands of a task store. */
  get client(): DynamoDBDocumentClient {
    const send = async (command: unknown): Promise<object> => this.#answer(command);
    return { send } as unknown as DynamoDBDocumentClient;
  }

  /** Changes a row without a condition. */
  change(taskId: string, members: Item): void {
    this.#rows.set(taskId, copyOf({ ...this.#rows.get(taskId), ...members }));
  }

  #answer(command: unknown): object {
    if (command instanceof GetCommand) return this.#get(keyOf(command.input.Key));
    if (command instanceof BatchGetCommand) return this.#getAll(command.input.RequestItems ?? {});
    if (command instanceof PutCommand) return this.#put(command.input.Item ?? {}, command.input);
    if (command instanceof UpdateCommand) return this.#update(keyOf(command.input.Key), command.input);
    if (command instanceof DeleteCommand) return this.#delete(keyOf(command.input.Key), command.input);
    const { name } = (command as object).constructor;
    throw new TypeError(`The task store in memory has no ${name}: expected tasks, not a service's own rows`);
  }

  #get(taskId: string): { Item?: Item } {
    const row = this.#rows.get(taskId);
    return row ? { Item: copyOf(row) } : {};
  }

  #getAll(asked: NonNullable<BatchGetCommand['input']['RequestItems']>): object {
    const responses = Object.entries(asked).map(([table, { Keys = [] }]) => [
      table,
      Keys.flatMap((key) => this.#get(keyOf(key)).Item ?? []),
    ]);
    return { Responses: Object.fromEntries(responses) as object };
  }

  #put(item: Item, input: ConditionalInput): object {
    const taskId = keyOf(item);
    this.#check(taskId, input);
    this.#rows.set(taskId, copyOf(item));
    return {};
  }

  #update(taskId: string, input: UpdateCommand['input']): object {
    this.#check(taskId, input);
    const row = updated(input.UpdateExpression ?? '', this.#rows.get(taskId) ?? { taskId }, {
      names: input.ExpressionAttributeNames,
      values: input.ExpressionAttributeValues,
    });
    this.#rows.set(taskId, copyOf(row));
    return input.ReturnValues === 'ALL_NEW' ? { Attributes: copyOf(row) } : {};
  }

  #delete(taskId: string, input: ConditionalInput): object {
    this.#check(taskId, input);
    this.#rows.delete(taskId);
    return {};
  }

  #check(taskId: string, input: ConditionalInput): void {
    const { ConditionExpression, ExpressionAttributeNames: names, ExpressionAttributeValues: values } = input;
    if (ConditionExpression === undefined) return;
    if (meets(ConditionExpression, this.#rows.get(taskId), { names, values })) return;
    throw new ConditionalCheckFailedException({
      message: 'The conditional request failed',
      $metadata: {},
    });
  }
}

function keyOf(key: Item | undefined): string {
  const taskId = key?.['taskId'];
  if (typeof taskId === 'string') return taskId;
  throw new TypeError(
    "The task store in memory has no row without a taskId: expected tasks, not a service's own rows",
  );
}

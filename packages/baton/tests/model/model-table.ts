import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { marshall, type NativeAttributeValue, unmarshall } from '@aws-sdk/util-dynamodb';
import deleteItem from 'dynalite/actions/deleteItem.js';
import getItem from 'dynalite/actions/getItem.js';
import putItem from 'dynalite/actions/putItem.js';
import updateItem from 'dynalite/actions/updateItem.js';
import { validateExpressions } from 'dynalite/validations/index.js';

/** A command of the document client. */
export interface TableCommand {
  readonly constructor: { readonly name: string };
  readonly input: Readonly<Record<string, unknown>>;
}

type Item = Record<string, NativeAttributeValue>;
type Marshalled = ReturnType<typeof marshall>;

const TABLE = {
  KeySchema: [{ AttributeName: 'taskId', KeyType: 'HASH' }],
  AttributeDefinitions: [{ AttributeName: 'taskId', AttributeType: 'S' }],
};
const ACTIONS: Readonly<Record<string, typeof putItem>> = {
  PutCommand: putItem,
  GetCommand: getItem,
  UpdateCommand: updateItem,
  DeleteCommand: deleteItem,
};
const MARSHALLING = { removeUndefinedValues: true, convertClassInstanceToMap: true };

/**
 * A DynamoDB table in this process that answers at once: dynalite evaluates expressions and conditions, and a map keeps
 * the rows.
 */
export class ModelTable {
  readonly #rows = new Map<string, Marshalled>();

  /** Carries a command out. @throws ConditionalCheckFailedException as DynamoDB does, Error for all other refusals */
  execute({ constructor: { name }, input }: TableCommand): object {
    if (name === 'BatchGetCommand') return this.#batchGet(input);
    const action = ACTIONS[name];
    if (!action)
      throw new Error(`the model has no ${name}; expected one of ${Object.keys(ACTIONS).join(', ')}`);
    const data: Record<string, unknown> = { ...input };
    for (const member of ['Key', 'Item', 'ExpressionAttributeValues'])
      if (data[member]) data[member] = marshall(data[member], MARSHALLING);
    const invalid = validateExpressions(data);
    if (invalid) throw new Error(invalid);
    let answer: { Item?: Marshalled; Attributes?: Marshalled } = {};
    action(this.#storeOf(taskIdOf(input)), data, (error, answered) => {
      if (error) throw refusal(error);
      answer = answered ?? {};
    });
    return {
      ...(answer.Item && { Item: unmarshall(answer.Item) }),
      ...(answer.Attributes && { Attributes: unmarshall(answer.Attributes) }),
    };
  }

  /** A row by its key. */
  row(taskId: string): Item | undefined {
    const row = this.#rows.get(taskId);
    return row && unmarshall(row);
  }

  #batchGet({ RequestItems }: TableCommand['input']): object {
    const Responses = Object.entries(RequestItems as Record<string, { Keys: { taskId: string }[] }>).map(
      ([table, { Keys }]) => [table, Keys.flatMap(({ taskId }) => this.row(taskId) ?? [])],
    );
    return { Responses: Object.fromEntries(Responses) as object };
  }

  /** The store that dynalite's actions need, for one row. Its calls answer at once. */
  #storeOf(taskId: string): object {
    const rows = this.#rows;
    const itemDb = {
      lock: (_key: string, work: (release: <Callback>(callback: Callback) => Callback) => void) =>
        work((callback) => callback),
      get: (_key: string, done: (error: null, item?: Marshalled) => void) => done(null, rows.get(taskId)),
      put: (_key: string, item: Marshalled, done: (error: null) => void) => {
        rows.set(taskId, structuredClone(item));
        done(null);
      },
      del: (_key: string, done: (error: null) => void) => {
        rows.delete(taskId);
        done(null);
      },
    };
    return {
      options: { maxItemSize: 409_600 },
      getTable: (_name: string, done: (error: null, table: object) => void) => done(null, TABLE),
      getItemDb: () => itemDb,
    };
  }
}

function refusal(error: Error & { body?: { __type?: string; message?: string } }): Error {
  const { __type = '', message = error.message } = error.body ?? {};
  if (!__type.endsWith('ConditionalCheckFailedException')) return new Error(`${__type}: ${message}`);
  return new ConditionalCheckFailedException({ message, $metadata: {} });
}

function taskIdOf({ Key, Item: item }: TableCommand['input']): string {
  return ((Key ?? item) as { taskId: string }).taskId;
}

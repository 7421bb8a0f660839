import {
  BatchGetCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { type Backends, startBackends } from 'baton-dev/testing/backends';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { play, scenes } from '../../worker/tests/recorded/recording.ts';
import type { Item } from '../expression.ts';
import { MemoryTable } from '../memory-table.ts';

interface Command {
  readonly constructor: { readonly name: string };
  readonly input: {
    readonly Key?: Item;
    readonly Item?: Item;
    readonly ConditionExpression?: string;
    readonly UpdateExpression?: string;
  };
}

/** All scenes except slow ones whose handlers hang. These make no other requests than the rest. */
const quick = scenes.filter(({ name }) => !/dead-letters|plain-sends|plain-retries/.test(name));

describe('the table in memory', () => {
  let backends: Backends;
  /** The kinds of requests that both tables got. */
  const requests = new Set<string>();
  beforeAll(async () => {
    backends = await startBackends([]);
  });
  afterAll(() => backends.stop());

  /** A client of DynamoDB's emulator. It makes each request also to a table in memory that has the same row. */
  function twin(differences: unknown[]): DynamoDBDocumentClient {
    const { documents, tasksTable } = backends;
    const rowOf = async (Key: Item): Promise<Item | undefined> => {
      const { Item: row } = await documents.send(
        new GetCommand({ TableName: tasksTable, Key, ConsistentRead: true }),
      );
      return row;
    };
    const send = async (command: Command): Promise<unknown> => {
      const { constructor, input } = command;
      const taskId = String((input.Key ?? input.Item)?.['taskId']);
      const ours = new MemoryTable();
      const row = command instanceof BatchGetCommand ? undefined : await rowOf({ taskId });
      if (row) ours.change(taskId, row);
      const answers = await Promise.allSettled([
        documents.send(command as never) as Promise<object>,
        ours.client.send(command as never) as Promise<object>,
      ]);
      if (!(command instanceof BatchGetCommand)) {
        requests.add([constructor.name, input.ConditionExpression, input.UpdateExpression].join(' '));
        const { Item: own } = (await ours.client.send(
          new GetCommand({ TableName: tasksTable, Key: { taskId } }),
        )) as { Item?: Item };
        const [theirs, mine] = answers.map((answer) => shown(answer));
        const same = [theirs, await rowOf({ taskId })];
        if (!equal([mine, own], same)) differences.push({ input, theirs: same, ours: [mine, own] });
      }
      const [{ status }] = answers;
      if (status === 'rejected') throw (answers[0] as PromiseRejectedResult).reason as Error;
      return (answers[0] as PromiseFulfilledResult<object>).value;
    };
    // One request at a time, so that both tables see the same row
    let last: Promise<unknown> = Promise.resolve();
    const inTurn = (command: Command): Promise<unknown> => {
      const sent = last.then(() => send(command));
      last = sent.catch(() => undefined);
      return sent;
    };
    return { send: inTurn } as unknown as DynamoDBDocumentClient;
  }

  test.each(quick)('answers and writes as DynamoDB does in the scene $name', async (scene) => {
    const differences: unknown[] = [];
    await play(scene, { ...backends, documents: twin(differences) });
    expect(differences).toEqual([]);
  });

  test.each([
    'aText = :text AND aNumber = :one',
    'aText <> :text',
    'aText <> :one',
    'noText <> :text',
    'noText = :text',
    'aNumber < :two AND aNumber <= :one',
    'aNumber > :two OR aNumber >= :one',
    'aText < :two',
    'aText < :text OR aText >= :text AND noText > :text',
    'aText >= :text OR aText < :text AND noText > :text',
    '(aText >= :text OR aText < :text) AND noText > :text',
    'aText IN (:one, :text)',
    'aNumber IN (:text)',
    'attribute_exists(anObject.deep1) AND attribute_not_exists(anObject.deep2)',
    'attribute_not_exists(noText.deep1)',
    'anObject.deep1 = :one',
  ])('evaluates a condition as DynamoDB does: %s', async (ConditionExpression) => {
    const { documents, tasksTable: TableName } = backends;
    const row = { taskId: 'row', aText: 'b', aNumber: 1, anObject: { deep1: 1 } };
    const values = { ':text': 'b', ':one': 1, ':two': 2 };
    const used = Object.entries(values).filter(([name]) => ConditionExpression.includes(name));
    const command = new UpdateCommand({
      TableName,
      Key: { taskId: 'row' },
      UpdateExpression: 'SET met = :met',
      ConditionExpression,
      ExpressionAttributeValues: { ...Object.fromEntries(used), ':met': true },
      ReturnValues: 'ALL_NEW',
    });
    await documents.send(new PutCommand({ TableName, Item: row }));
    const ours = new MemoryTable();
    ours.change('row', row);
    const [theirs, mine] = await Promise.allSettled([documents.send(command), ours.client.send(command)]);
    expect(shown(mine)).toEqual(shown(theirs));
    expect(shown(theirs)).not.toBe('ValidationException');
  });

  test('got all kinds of requests that the task store makes', () => {
    expect(requests.size).toBeGreaterThan(35);
  });

  test('refuses requests that it does not know, and rows that are not tasks', async () => {
    const { client } = new MemoryTable();
    await expect(client.send(new QueryCommand({ TableName: 't' }))).rejects.toThrow('has no QueryCommand');
    await expect(client.send(new GetCommand({ TableName: 't', Key: { orderId: '1' } }))).rejects.toThrow(
      "not a service's own rows",
    );
    for (const UpdateExpression of [
      'SET a ~ :b',
      'SET a = :b',
      'SET #a = :b',
      'SET a = b',
      'GET a',
      'SET a.b = a',
    ]) {
      const update = new UpdateCommand({ TableName: 't', Key: { taskId: '1' }, UpdateExpression });
      await expect(client.send(update)).rejects.toMatchObject({ name: 'ValidationException' });
    }
  });
});

function shown(answer: PromiseSettledResult<object>): unknown {
  if (answer.status === 'rejected') return (answer.reason as Error).name;
  const { Attributes, Item: row } = answer.value as { Attributes?: Item; Item?: Item };
  return { Attributes, Item: row };
}

function equal(one: unknown, other: unknown): boolean {
  try {
    expect(one).toEqual(other);
    return true;
  } catch {
    return false;
  }
}

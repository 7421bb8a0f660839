import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import {
  type AttributeValue,
  CreateTableCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import { type Backends, startBackends } from '../../testing/backends.ts';
import { isSameRow } from '../row.ts';
import { copyRows, type RowCopyOptions } from '../row-copy.ts';

type Row = Record<string, AttributeValue>;

const NOTHING = { missing: 0, differing: 0, deleted: 0, same: 0, over: 0, written: 0, overtaken: 0 };
const NOW_MS = 1_800_000_000_000;
/** A row with every kind of value that a careless copy would change. */
const ODD: Row = {
  precise: { N: '0.1234567890123456789012345678901234567' },
  words: { SS: ['b', 'a'] },
  bytes: { B: new Uint8Array([0, 255]) },
  nested: { M: { sets: { L: [{ NS: ['10', '2'] }, { NULL: true }] }, empty: { S: '' } } },
};

let backends: Backends;
let client: DynamoDBClient;
let table: string;
let copy: string;
/** Runs before the next write. */
let beforeWrite: (() => Promise<unknown>) | undefined;

beforeAll(async () => {
  backends = await startBackends([]);
  const { AWS_ENDPOINT_URL_DYNAMODB: endpoint = '' } = backends.environment;
  client = new DynamoDBClient({
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  client.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        const first = commandName === 'PutItemCommand' ? beforeWrite : undefined;
        if (first) beforeWrite = undefined;
        await first?.();
        return next(args);
      },
    { step: 'initialize' },
  );
});
beforeEach(async () => {
  [table = '', copy = ''] = await Promise.all(['live', 'copy'].map(createTable));
});
afterAll(async () => {
  client.destroy();
  await backends.stop();
});

async function createTable(name: string): Promise<string> {
  const TableName = `baton-${backends.stage}-${name}-${randomUUID()}`;
  await client.send(
    new CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: ['shop', 'id'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
      KeySchema: [
        { AttributeName: 'shop', KeyType: 'HASH' },
        { AttributeName: 'id', KeyType: 'RANGE' },
      ],
    }),
  );
  return TableName;
}

/** A row's key: two attributes, of which the first is everywhere the same. */
const keyOf = (id: string): Row => ({ shop: { S: 'one' }, id: { S: id } });

async function put(TableName: string, id: string, rest: Row): Promise<void> {
  await client.send(new PutItemCommand({ TableName, Item: { ...keyOf(id), ...rest } }));
}

async function read(id: string): Promise<Row | undefined> {
  const request = { TableName: table, Key: keyOf(id), ConsistentRead: true };
  return (await client.send(new GetItemCommand(request))).Item;
}

const text = (value: string): Row => ({ text: { S: value } });
const run = (more: Partial<RowCopyOptions> = {}) =>
  copyRows({ client, table, copy, overwrite: false, write: true, now: () => NOW_MS, ...more });

test('rows that are missing are written back exactly as they were, and the next run has nothing to do', async () => {
  await put(copy, 'lost', ODD);
  await put(copy, 'kept', text('then'));
  await put(table, 'kept', text('then'));
  await put(table, 'new', text('now'));
  await expect(run({ write: false })).resolves.toEqual({ ...NOTHING, missing: 1, same: 1 });
  await expect(read('lost')).resolves.toBeUndefined();
  await expect(run()).resolves.toEqual({ ...NOTHING, missing: 1, same: 1, written: 1 });
  expect(isSameRow((await read('lost')) ?? {}, { ...keyOf('lost'), ...ODD })).toBe(true);
  await expect(read('new')).resolves.toMatchObject(text('now'));
  await expect(run()).resolves.toEqual({ ...NOTHING, same: 2 });
});

test('rows that differ stay as they are, unless they shall get the state of then', async () => {
  await put(copy, 'a', { ...text('then'), only: { BOOL: true } });
  await put(table, 'a', { ...text('now'), now: { BOOL: true } });
  await expect(run()).resolves.toEqual({ ...NOTHING, differing: 1 });
  await expect(read('a')).resolves.toMatchObject(text('now'));
  await expect(run({ overwrite: true })).resolves.toEqual({ ...NOTHING, differing: 1, written: 1 });
  await expect(read('a')).resolves.toEqual({ ...keyOf('a'), ...text('then'), only: { BOOL: true } });
});

test('a row that somebody deleted since, and one whose time to live is over, do not come back', async () => {
  const expiresAt = { N: String(NOW_MS / 1000) };
  await put(copy, 'deleted', text('personal'));
  await put(table, 'deleted', { status: { S: 'deleted' } });
  await put(copy, 'over', { ...text('personal'), expiresAt });
  await put(copy, 'not-over', { ...text('kept'), expiresAt: { N: String(NOW_MS / 1000 + 1) } });
  await expect(run({ overwrite: true })).resolves.toEqual({
    ...NOTHING,
    deleted: 1,
    over: 1,
    missing: 1,
    written: 1,
  });
  await expect(read('deleted')).resolves.toEqual({ ...keyOf('deleted'), status: { S: 'deleted' } });
  await expect(read('over')).resolves.toBeUndefined();
});

test.each([
  ['is missing, and appears', undefined],
  ['differs, and changes', 'now'],
])('a row that %s before it is written stays as it is', async (_what, before) => {
  await put(copy, 'a', text('then'));
  if (before) await put(table, 'a', text(before));
  beforeWrite = () => put(table, 'a', text('meanwhile'));
  await expect(run({ overwrite: true })).resolves.toMatchObject({ written: 0, overtaken: 1 });
  await expect(read('a')).resolves.toMatchObject(text('meanwhile'));
});

test('a copy that is stopped continues where it was', async () => {
  await Promise.all(Array.from({ length: 130 }, (_each, index) => put(copy, String(index), text('then'))));
  const stop = new AbortController();
  const seen: number[] = [];
  const progress = (rows: number): void => {
    seen.push(rows);
    stop.abort();
  };
  await expect(run({ signal: stop.signal, progress })).resolves.toEqual({
    ...NOTHING,
    missing: 100,
    written: 100,
  });
  expect(seen).toEqual([100]);
  await expect(run()).resolves.toEqual({ ...NOTHING, same: 100, missing: 30, written: 30 });
});

import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { DeleteCommand, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { type Backends, startBackends } from '../../../testing/backends.ts';
import { Program } from '../../../testing/program.ts';
import { copyName } from '../../point-in-time.ts';
import { daysAgo, EARLIEST, LATEST, RestoringDynamoDb } from '../restoring-dynamodb.ts';

const LOST = { taskId: { S: 'lost' }, text: { S: 'then' } };
const KEPT = { taskId: { S: 'kept' }, text: { S: 'then' } };

let backends: Backends;
let dynamoDb: RestoringDynamoDb;
let table: string;

beforeAll(async () => {
  backends = await startBackends([]);
  dynamoDb = await RestoringDynamoDb.start(backends.environment['AWS_ENDPOINT_URL_DYNAMODB'] ?? '');
});
beforeEach(async () => {
  table = backends.tasksTable;
  dynamoDb.kept.set(table, { key: 'taskId', rows: [LOST, KEPT] });
  dynamoDb.restores.length = 0;
  await backends.documents.send(new DeleteCommand({ TableName: table, Key: { taskId: 'lost' } }));
  await backends.documents.send(new PutCommand({ TableName: table, Item: { taskId: 'kept', text: 'now' } }));
});
afterAll(async () => {
  await dynamoDb.stop();
  await backends.stop();
});

/** Runs the command for the table of the task store. Resolves to its exit status and output. */
async function restore(...args: string[]): Promise<{ status: number; output: string }> {
  const all = ['tasks', '--stage', backends.stage, ...args];
  const environment = { ...backends.environment, AWS_ENDPOINT_URL_DYNAMODB: dynamoDb.url };
  const program = new Program('packages/baton-dev/src/restore-table/main.ts', environment, all);
  return { status: (await program.ended()) ?? -1, output: program.output };
}

async function read(taskId: string): Promise<unknown> {
  return (await backends.documents.send(new GetCommand({ TableName: table, Key: { taskId } }))).Item;
}

test('a table is restored into a copy, compared, and gets its lost rows back once the stage is named', async () => {
  const then = daysAgo(10);
  const at = ['--at', then.toISOString()];
  const copy = copyName(table, then);
  const dry = await restore(...at);
  expect(dry).toMatchObject({ status: 0 });
  for (const says of [
    `DynamoDB restores ${table} as it was at ${then.toISOString()}, into ${copy}.`,
    'These are tasks: read docs/restore.md#the-task-store',
    '1  missing in the table: would be written',
    '1  differ: stay as they are',
    'Nothing was written. The same command with --write writes 1 row.',
  ])
    expect(dry.output).toContain(says);
  expect(dynamoDb.restores).toMatchObject([
    {
      SourceTableName: table,
      TargetTableName: copy,
      RestoreDateTime: then.getTime() / 1000,
      GlobalSecondaryIndexOverride: [],
    },
  ]);
  await expect(read('lost')).resolves.toBeUndefined();

  // Nobody can type here
  const unnamed = await restore(...at, '--write');
  expect(unnamed.status).toBe(2);
  expect(unnamed.output).toContain(`Nothing was written: expected --word ${backends.stage}`);
  expect((await restore(...at, '--write', '--word', 'prod')).status).toBe(2);
  await expect(read('lost')).resolves.toBeUndefined();

  const { status, output } = await restore(...at, '--write', '--word', backends.stage);
  expect(status).toBe(0);
  expect(output).toContain(`1 row written to ${table}.`);
  expect(output).toContain(`aws dynamodb delete-table --table-name ${copy}`);
  await expect(read('lost')).resolves.toEqual({ taskId: 'lost', text: 'then' });
  await expect(read('kept')).resolves.toEqual({ taskId: 'kept', text: 'now' });
  expect(dynamoDb.restores).toHaveLength(1);
  expect((await restore('--from', copy)).output).toContain('1  the same');
});

test('a copy of a time more than 35 days ago is refused, unless the operator says that he knows', async () => {
  const [then, old] = [daysAgo(20), daysAgo(35.1)];
  const at = ['--at', then.toISOString()];
  const copy = copyName(table, then);
  await restore(...at);
  dynamoDb.kept.clear();
  const write = ['--write', '--word', backends.stage];
  for (const [time, says] of [
    [old, `${copy} is of ${old.toISOString()}`],
    [undefined, `It is unknown which time ${copy} is of`],
  ] as const) {
    if (time) dynamoDb.copies.set(copy, time);
    else dynamoDb.copies.delete(copy);
    for (const options of [['--from', copy], at]) {
      const { status, output } = await restore(...options, ...write);
      expect(status).toBe(1);
      expect(output).toContain(says);
      expect(output).toContain('expected one of the last 35 days, or --old-copy');
    }
  }
  await expect(read('lost')).resolves.toBeUndefined();
  const { status } = await restore('--from', copy, '--old-copy', ...write);
  expect(status).toBe(0);
  await expect(read('lost')).resolves.toEqual({ taskId: 'lost', text: 'then' });
});

const BEFORE = new Date(EARLIEST.getTime() - 1000);
const AFTER = new Date(LATEST.getTime() + 1000);

test.each([
  [
    'a time before the first',
    ['--at', BEFORE.toISOString()],
    `expected a time from ${EARLIEST.toISOString()} to ${LATEST.toISOString()}`,
  ],
  ['a time after the last', ['--at', AFTER.toISOString()], `cannot be restored to ${AFTER.toISOString()}`],
  [
    'a missing copy',
    ['--from', 'nothing'],
    'There is no table nothing: expected a copy that was restored before',
  ],
  [
    'a missing table',
    ['--stage', 'test-other', '--at', LATEST.toISOString()],
    'There is no table baton-test-other-tasks',
  ],
])('%s ends with a word of what is expected, and without a stack', async (_what, args, says) => {
  const { status, output } = await restore(...args);
  expect(status).toBe(1);
  expect(output).toContain(says);
  expect(output).not.toContain('    at ');
});

test('a table without point-in-time recovery cannot be restored, and the command says what it lacked', async () => {
  dynamoDb.kept.clear();
  const { status, output } = await restore('--at', daysAgo(9).toISOString());
  expect(status).toBe(1);
  expect(output).toContain(
    `${table} has no point-in-time recovery: expected PointInTimeRecoverySpecification`,
  );
});

// Brings back rows that a table has lost: npm run restore-table -- payments --stage prod --at 2026-11-30T12:00:00Z
import { existsSync } from 'node:fs';
import process from 'node:process';
import { createInterface } from 'node:readline/promises';
import { DescribeTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { Presets, SingleBar } from 'cli-progress';
import { stagePrefixOf } from '../stack/names.ts';
import { print, printError } from '../terminal/print.ts';
import { checkAge } from './copy-age.ts';
import { type Options, readOptions, USAGE, UsageError } from './options.ts';
import { beginRestore, copyName, copyReady, RestoreError, tableState } from './point-in-time.ts';
import { ABOUT_TASKS, found, rowsOf, toWrite, written } from './report.ts';
import { copyRows, type RowCounts } from './row-copy.ts';

const INTERRUPTED = 130;
/** The SDK's retries of a throttled request: a restore may take a whole table's worth of writes. */
const ATTEMPTS = 10;

const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => {
    // A second signal does not wait for the page
    if (interrupted.signal.aborted) process.exit(INTERRUPTED);
    interrupted.abort();
  });

const say = (line: string): void => print(`${line}\n`);

/** Resolves to the exit status. */
async function run(options: Options): Promise<number> {
  const client = new DynamoDBClient({ maxAttempts: ATTEMPTS });
  try {
    const table = stagePrefixOf(options.stage) + options.table;
    if ((await tableState(client, table)) === undefined)
      throw new RestoreError(
        `There is no table ${table}: expected a table of the stage. If the whole table is gone, see docs/restore.md#a-table-is-gone`,
      );
    const copy = await copyOf(client, table, options);
    if (options.table === 'tasks') say(ABOUT_TASKS);
    const compared = await pass(client, { table, copy, options, write: false });
    if (interrupted.signal.aborted) return INTERRUPTED;
    say(`The rows of ${copy}, compared with ${table}:\n${found(compared, options)}`);
    const rows = toWrite(compared, options);
    if (rows === 0) return 0;
    if (!options.write) {
      say(`Nothing was written. The same command with --write writes ${rowsOf(rows)}.`);
      return 0;
    }
    await askForWord(options, `write ${rowsOf(rows)} into ${table}`);
    const counts = await pass(client, { table, copy, options, write: true });
    const stopped = interrupted.signal.aborted;
    say(written(counts, { table, copy, stopped }));
    return stopped ? INTERRUPTED : 0;
  } finally {
    client.destroy();
  }
}

/** Resolves to the name of the copy, once it can be read. A copy that an earlier run began is used again. */
async function copyOf(client: DynamoDBClient, table: string, { at, from = '' }: Options): Promise<string> {
  const copy = at ? copyName(table, at) : from;
  const state = await tableState(client, copy);
  if (state === 'ACTIVE') return copy;
  if (state === undefined) {
    if (!at) throw new RestoreError(`There is no table ${copy}: expected a copy that was restored before`);
    await beginRestore(client, table, at, copy);
    say(`DynamoDB restores ${table} as it was at ${at.toISOString()}, into ${copy}.`);
  }
  say(
    `Waiting until it can be read: minutes, and hours if it is large. You may stop: the same command continues.`,
  );
  await copyReady(client, copy);
  return copy;
}

/** Looks at all rows of the copy. Shows a bar on a terminal; its total is what DynamoDB last counted. */
async function pass(
  client: DynamoDBClient,
  { table, copy, options, write }: { table: string; copy: string; options: Options; write: boolean },
): Promise<RowCounts> {
  const { Table = { TableName: copy } } = await client.send(new DescribeTableCommand({ TableName: copy }));
  // At each pass: the operator may have thought for days before he typed the word
  if (!options.oldCopy) checkAge(Table, Date.now());
  const total = Table.ItemCount ?? 0;
  const format = ` ${write ? 'writing  ' : 'comparing'} {bar} {value} of about {total} rows`;
  const bar = new SingleBar({ format, hideCursor: true }, Presets.shades_classic);
  if (process.stderr.isTTY) bar.start(total, 0);
  try {
    const { overwrite } = options;
    const { signal } = interrupted;
    const progress = (rows: number): void => {
      if (rows > bar.getTotal()) bar.setTotal(rows);
      bar.update(rows);
    };
    return await copyRows({ client, table, copy, overwrite, write, signal, progress });
  } finally {
    bar.stop();
  }
}

/** @throws UsageError if the word is not the stage's name */
async function askForWord({ stage, word: given }: Options, what: string): Promise<void> {
  let word = given;
  if (word === undefined && process.stdin.isTTY) {
    const terminal = createInterface({ input: process.stdin, output: process.stdout });
    word = await terminal.question(`Type the name of the stage (${stage}) to ${what}: `);
    terminal.close();
  }
  if (word?.trim() !== stage)
    throw new UsageError(`Nothing was written: expected --word ${stage}, or the stage's name at the prompt`);
}

try {
  if (existsSync('.env')) process.loadEnvFile('.env');
  const options = readOptions(process.argv.slice(2));
  if (options.help) print(USAGE);
  else process.exitCode = await run(options);
} catch (error) {
  const { name, message } = error as Error;
  const isUsage = error instanceof UsageError;
  const known = isUsage || error instanceof RestoreError;
  printError(known ? `${message}\n` : `${name}: ${message}\nThe same command continues.\n`);
  process.exitCode = isUsage ? 2 : 1;
}

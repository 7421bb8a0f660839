// Copies rows that a table has lost back into it.
import {
  BatchGetItemCommand,
  ConditionalCheckFailedException,
  DescribeTableCommand,
  type DynamoDBClient,
  paginateScan,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import { Permits } from 'baton-tasks/service';
import { isOver, isSameRow, keyOf, keyText, type Row } from './row.ts';

/** The most rows of one BatchGetItem (Quotas in Amazon DynamoDB). */
const PAGE_ROWS = 100;
const WRITES_AT_ONCE = 10;
/** What a service leaves of a row that somebody deleted: see `eraseRow`. */
const DELETED = 'deleted';

/** Configures a copy. */
export interface RowCopyOptions {
  readonly client: DynamoDBClient;
  /** The whole names of the two tables. */
  readonly table: string;
  readonly copy: string;
  /** Whether rows that differ are given the state that they have in the copy. */
  readonly overwrite: boolean;
  /** Whether to write. Otherwise rows are only counted. */
  readonly write: boolean;
  /** The time in milliseconds since 1970. Default: the process's. */
  readonly now?: () => number;
  /** Is told how many rows of the copy have been looked at. */
  readonly progress?: (rows: number) => void;
  /** Stops the copy after a page. */
  readonly signal?: AbortSignal;
}

/** How many rows of the copy are what, compared with the table. */
export interface RowCounts {
  /** Not in the table. */
  missing: number;
  /** In the table, with another state. */
  differing: number;
  /** In the table, where somebody has deleted them since. They stay as they are. */
  deleted: number;
  same: number;
  /** Their time to live is over. They stay out. */
  over: number;
  /** Written now. */
  written: number;
  /** To be written, but somebody else wrote them at that moment. They stay as they are. */
  overtaken: number;
}

/**
 * Compares every row of the copy with the table, and writes what is missing there. Each write is conditional: it changes
 * nothing if the row has changed since it was read. So it can run beside everything else, and be repeated.
 */
export async function copyRows(options: RowCopyOptions): Promise<RowCounts> {
  const { client, copy, progress, signal } = options;
  const counts = { missing: 0, differing: 0, deleted: 0, same: 0, over: 0, written: 0, overtaken: 0 };
  const keys = await keysOf(options);
  const permits = new Permits(WRITES_AT_ONCE);
  let looked = 0;
  const pages = paginateScan({ client, pageSize: PAGE_ROWS }, { TableName: copy, ConsistentRead: true });
  for await (const { Items: rows = [] } of pages) {
    const current = await currentRows(options, keys, rows);
    await permits.map(rows, async (row) => {
      await copyRow(row, current.get(keyText(row, keys)), { options, keys, counts });
    });
    looked += rows.length;
    progress?.(looked);
    if (signal?.aborted) break;
  }
  return counts;
}

/** The names of the attributes that are the table's key. */
async function keysOf({ client, table }: RowCopyOptions): Promise<string[]> {
  const { Table } = await client.send(new DescribeTableCommand({ TableName: table }));
  return Table?.KeySchema?.map(({ AttributeName = '' }) => AttributeName) ?? [];
}

/** The rows of the table with the keys of some rows of the copy. */
async function currentRows(
  { client, table }: RowCopyOptions,
  keys: readonly string[],
  rows: readonly Row[],
): Promise<Map<string, Row>> {
  const found = new Map<string, Row>();
  let asked = rows.map((row) => keyOf(row, keys));
  while (asked.length > 0) {
    const { Responses, UnprocessedKeys } = await client.send(
      new BatchGetItemCommand({ RequestItems: { [table]: { Keys: asked, ConsistentRead: true } } }),
    );
    for (const row of Responses?.[table] ?? []) found.set(keyText(row, keys), row);
    asked = UnprocessedKeys?.[table]?.Keys ?? [];
  }
  return found;
}

async function copyRow(
  row: Row,
  current: Row | undefined,
  { options, keys, counts }: { options: RowCopyOptions; keys: readonly string[]; counts: RowCounts },
): Promise<void> {
  const kind = kindOf(row, current, options);
  counts[kind] += 1;
  const wanted = kind === 'missing' || (kind === 'differing' && options.overwrite);
  if (!wanted || !options.write) return;
  const written = await putUnchanged(row, current, keys, options);
  counts[written ? 'written' : 'overtaken'] += 1;
}

function kindOf(
  row: Row,
  current: Row | undefined,
  { now = Date.now }: RowCopyOptions,
): 'missing' | 'differing' | 'deleted' | 'same' | 'over' {
  if (isOver(row, now())) return 'over';
  if (!current) return 'missing';
  if (isSameRow(row, current)) return 'same';
  return current['status']?.S === DELETED ? 'deleted' : 'differing';
}

/** Writes a row, unless the table's row has changed since it was read. Resolves to whether it was written. */
async function putUnchanged(
  row: Row,
  current: Row | undefined,
  keys: readonly string[],
  { client, table }: RowCopyOptions,
): Promise<boolean> {
  // Of a missing row only the key is known: it must still be missing
  const names = current ? [...new Set([...Object.keys(current), ...Object.keys(row)])] : keys;
  const values = Object.entries(current ?? {}).map(
    ([name, value]) => [`:${names.indexOf(name)}`, value] as const,
  );
  try {
    await client.send(
      new PutItemCommand({
        TableName: table,
        Item: row,
        ConditionExpression: names
          .map((name, index) =>
            current?.[name] ? `#${index} = :${index}` : `attribute_not_exists(#${index})`,
          )
          .join(' AND '),
        ExpressionAttributeNames: Object.fromEntries(names.map((name, index) => [`#${index}`, name])),
        ...(current && { ExpressionAttributeValues: Object.fromEntries(values) }),
      }),
    );
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
}

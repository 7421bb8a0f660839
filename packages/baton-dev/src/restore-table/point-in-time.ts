// A copy of a table as it was at a point in time.
import {
  DescribeContinuousBackupsCommand,
  DescribeTableCommand,
  type DynamoDBClient,
  ResourceNotFoundException,
  RestoreTableToPointInTimeCommand,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';

/** A restore takes minutes, and hours if the table is large. */
const LONGEST_SECONDS = 86_400;

/** The table cannot be restored. The message says why and what is expected. */
export class RestoreError extends Error {
  override readonly name = 'RestoreError';
}

/** The name of the copy of a table at a point in time. */
export function copyName(table: string, at: Date): string {
  return `${table}-at-${at.toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`;
}

/** The state of a table, such as `CREATING` or `ACTIVE`. Undefined if there is none. */
export async function tableState(client: DynamoDBClient, TableName: string): Promise<string | undefined> {
  try {
    const { Table } = await client.send(new DescribeTableCommand({ TableName }));
    return Table?.TableStatus ?? 'CREATING';
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return undefined;
    throw error;
  }
}

/**
 * Begins to restore a table into a new one, without its indexes, which only cost time here.
 *
 * @throws RestoreError if the table has no point-in-time recovery, or not for that time
 */
export async function beginRestore(
  client: DynamoDBClient,
  table: string,
  at: Date,
  copy: string,
): Promise<void> {
  const { ContinuousBackupsDescription: backups } = await client.send(
    new DescribeContinuousBackupsCommand({ TableName: table }),
  );
  const {
    PointInTimeRecoveryStatus: status,
    EarliestRestorableDateTime: earliest,
    LatestRestorableDateTime: latest,
  } = backups?.PointInTimeRecoveryDescription ?? {};
  if (status !== 'ENABLED')
    throw new RestoreError(
      `${table} has no point-in-time recovery: expected PointInTimeRecoverySpecification in its functions.yml before the loss`,
    );
  if ((earliest && at < earliest) || (latest && at > latest))
    throw new RestoreError(
      `${table} cannot be restored to ${at.toISOString()}: expected a time from ${earliest?.toISOString()} to ${latest?.toISOString()}`,
    );
  await client.send(
    new RestoreTableToPointInTimeCommand({
      SourceTableName: table,
      TargetTableName: copy,
      RestoreDateTime: at,
      BillingModeOverride: 'PAY_PER_REQUEST',
      GlobalSecondaryIndexOverride: [],
      LocalSecondaryIndexOverride: [],
    }),
  );
}

/** Resolves once the copy can be read. @throws Error if that takes longer than a day */
export async function copyReady(client: DynamoDBClient, copy: string): Promise<void> {
  await waitUntilTableExists(
    { client, maxWaitTime: LONGEST_SECONDS, minDelay: 1, maxDelay: 20 },
    { TableName: copy },
  );
}

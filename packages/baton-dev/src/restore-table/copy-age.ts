// How old a copy may be whose rows come back.
import type { TableDescription } from '@aws-sdk/client-dynamodb';
import { RestoreError } from './point-in-time.ts';

/**
 * As far back as DynamoDB restores a table. A service keeps longer what is left of a row that a caller deleted, and any row
 * that has ended: so they are still in the table, and do not count as missing.
 */
const MOST_DAYS = 35;

/**
 * Checks that a copy is not too old.
 *
 * @param nowMs - the time in milliseconds since 1970
 * @throws RestoreError if it is of a time more than 35 days ago, or DynamoDB does not say of which
 */
export function checkAge({ TableName: copy, RestoreSummary }: TableDescription, nowMs: number): void {
  // Of a backup it is the time when that was made
  const at = RestoreSummary?.RestoreDateTime;
  if (at && nowMs - at.getTime() <= MOST_DAYS * 86_400_000) return;
  const what = at ? `${copy} is of ${at.toISOString()}` : `It is unknown which time ${copy} is of`;
  throw new RestoreError(
    `${what}: expected one of the last ${MOST_DAYS} days, or --old-copy, which may bring back what callers deleted since`,
  );
}

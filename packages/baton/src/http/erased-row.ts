// Erases the row of a request, except for what keeps late messages from bringing it back.
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import { LEAST_DAYS } from './retention.ts';

/** Describes what to erase. */
export interface Erasure {
  readonly documents: DynamoDBDocumentClient;
  readonly table: string;
  /** What is left of the row: its key, and what late messages and repeated requests are compared with. */
  readonly rest: Readonly<Record<string, unknown>>;
  /** The `status` of a row whose task has ended. A row with another one is not erased. */
  readonly ended: readonly string[];
  /** The row's `taskToken`, as it was read. A row with another one is not erased. */
  readonly taskToken: number | undefined;
  /** Who erases it: the subject of the caller. */
  readonly by: string;
}

/**
 * Erases a row, so that only `rest` is left of it, with the status `deleted`, who erased it and when. DynamoDB deletes that
 * after 36 days, by the attribute `expiresAt`.
 *
 * @returns whether it was erased: not if its task has not ended, or it has changed since it was read
 */
export async function eraseRow(erasure: Erasure): Promise<boolean> {
  const { documents, table, rest, ended, taskToken, by } = erasure;
  const now = new Date();
  const expiresAt = Math.floor(now.getTime() / 1000) + LEAST_DAYS * 86_400;
  const states = Object.fromEntries(ended.map((state) => [`:${state}`, state]));
  const unchanged = taskToken === undefined ? 'attribute_not_exists(taskToken)' : 'taskToken = :token';
  try {
    await documents.send(
      new PutCommand({
        TableName: table,
        Item: {
          ...rest,
          taskToken,
          status: 'deleted',
          deletedAt: now.toISOString(),
          deletedBy: by,
          expiresAt,
        },
        ConditionExpression: `#status IN (${Object.keys(states).join(', ')}) AND ${unchanged}`,
        ExpressionAttributeNames: { '#status': 'status' },
        ExpressionAttributeValues: { ...states, ...(taskToken !== undefined && { ':token': taskToken }) },
      }),
    );
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
}

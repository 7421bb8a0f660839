// What operators do with notifications. Not in the store, so that the bundle of the consumer, which takes no requests, does
// not have it.
import { type DynamoDBDocumentClient, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { eraseRow, type Retention } from 'baton-tasks/http';
import * as z from 'zod';
import { ENDED, LIST, type NotificationRow } from './store.ts';

/** A place in the list of notifications. */
export const positionSchema = z.strictObject({
  listedAt: z.string().min(1).max(200),
  notificationId: z.string().min(1).max(128),
});
type Position = z.output<typeof positionSchema>;

const LIST_INDEX = 'newest-first';
const RECIPIENT_INDEX = 'newest-first-by-recipient';

/** Which notifications to list. */
export interface NotificationQuery {
  readonly recipient: string | undefined;
  readonly limit: number;
  readonly after: Position | undefined;
}

/** A page of notifications, and where the next page begins. */
export interface NotificationPage {
  readonly notifications: NotificationRow[];
  readonly next: Position | undefined;
}

/** Lists the service's notifications, and erases them. */
export class NotificationRequests {
  readonly #documents: DynamoDBDocumentClient;
  readonly #table: string;
  readonly #retention: Retention;

  /** @param retention - how long a notification is kept after its end */
  constructor(documents: DynamoDBDocumentClient, table: string, retention: Retention) {
    this.#documents = documents;
    this.#table = table;
    this.#retention = retention;
  }

  /**
   * Deletes a notification whose task has ended. Its id, its token and the request's digest are left for 36 days, so that
   * late messages and a repeated request do not bring it back.
   *
   * @param by - the subject of the caller
   * @returns whether it was deleted: not if its task has not ended, or it has changed since it was read
   */
  erase({ notificationId, requestHash, taskToken }: NotificationRow, by: string): Promise<boolean> {
    const rest = { notificationId, requestHash };
    return eraseRow({ documents: this.#documents, table: this.#table, rest, ended: ENDED, taskToken, by });
  }

  /**
   * Lists accepted notifications, newest first. A new one may be missing for a moment: the index follows the table. A page
   * may be short although more follow: notifications whose time is over are left out of it.
   */
  async list({ recipient, limit, after }: NotificationQuery): Promise<NotificationPage> {
    const [index, member, value] =
      recipient === undefined ? [LIST_INDEX, 'listedIn', LIST] : [RECIPIENT_INDEX, 'listedFor', recipient];
    const { Items = [], LastEvaluatedKey } = await this.#documents.send(
      new QueryCommand({
        TableName: this.#table,
        IndexName: index,
        KeyConditionExpression: '#member = :value',
        FilterExpression: 'attribute_not_exists(expiresAt) OR expiresAt > :now',
        ExpressionAttributeNames: { '#member': member },
        ExpressionAttributeValues: { ':value': value, ':now': this.#retention.nowSeconds },
        ScanIndexForward: false,
        Limit: limit,
        ...(after && { ExclusiveStartKey: { [member]: value, ...after } }),
      }),
    );
    const next = LastEvaluatedKey && positionSchema.strip().parse(LastEvaluatedKey);
    return { notifications: Items as NotificationRow[], next };
  }
}

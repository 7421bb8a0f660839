import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import {
  type DynamoDBDocumentClient,
  GetCommand,
  UpdateCommand,
  type UpdateCommandInput,
} from '@aws-sdk/lib-dynamodb';
import type { Notification } from '@baton/common/contracts/notifications';
import { messageForCallers, type TaskEnd } from 'baton-tasks';
import type { IntakeRow, Retention } from 'baton-tasks/http';

/** The states of a notification whose task has ended. */
export const ENDED = ['delivered', 'failed', 'cancelled'] as const;

/**
 * The state of a notification. `pending`: SQS has not accepted its task yet. `deleted`: only the row's id and token are
 * left. Callers see neither.
 */
export type NotificationStatus = 'pending' | 'accepted' | 'deleted' | (typeof ENDED)[number];

/** The row of a notification. */
export interface NotificationRow extends IntakeRow {
  readonly status: NotificationStatus;
  readonly notificationId: string;
  /** Absent, with recipient, subject and message, if another service sent the task and it ended before its first attempt. */
  readonly channel?: Notification['channel'];
  readonly recipient?: string;
  readonly subject?: string;
  readonly message?: string;
  /** When this service first saw it, ISO 8601. */
  readonly createdAt: string;
  /** Its place in the lists: `createdAt`, made unique by its id. */
  readonly listedAt: string;
  readonly deliveredAt?: string;
  readonly deliveredBy?: string;
  /** Why it was not delivered: the error, and the reason of its dead letter. */
  readonly failure?: string;
  readonly reason?: string;
  /** The token of the latest known attempt. */
  readonly taskToken?: number;
}

/** An update with a condition, whose names have `#status`. */
type UpdateOfRow = Omit<UpdateCommandInput, 'TableName' | 'Key' | 'ReturnValues'> & {
  readonly ConditionExpression: string;
};

/** The partition of all lists in their index. It takes 1,000 writes a second (AWS: "Partitions and data distribution"). */
export const LIST = 'notifications';

/** A row that changes is pending no longer, so it loses these: see `Intake`. */
const INTAKE = ['holder', 'heldUntilMs'];
const FAILURE = ['failure', '#reason'];

/**
 * The service's notifications, a row each, in its own table. No other service reads or writes it. A notification whose time
 * is over is gone for all readers, even if DynamoDB has not deleted it yet.
 */
export class NotificationStore {
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
   * Finds or creates the row of a notification that an attempt is about to deliver. A failed one becomes accepted
   * again, a deleted one stays deleted.
   */
  async open(notificationId: string, notification: Notification, token: number): Promise<NotificationRow> {
    const { notificationId: _key, ...initial } = newRow(notificationId, notification);
    const names = Object.keys(initial) as (keyof typeof initial)[];
    const row = await this.#update(notificationId, {
      ConditionExpression:
        'attribute_not_exists(#status) OR #status <> :delivered AND (attribute_not_exists(taskToken) OR taskToken < :token)',
      UpdateExpression: `SET #status = :accepted, taskToken = :token, listedIn = :list, listedFor = :recipient, ${names
        .map((name) => `#${name} = if_not_exists(#${name}, :${name})`)
        .join(', ')} REMOVE ${[...INTAKE, ...FAILURE, 'expiresAt'].join(', ')}`,
      ExpressionAttributeNames: {
        '#status': 'status',
        '#reason': 'reason',
        ...Object.fromEntries(names.map((name) => [`#${name}`, name])),
      },
      ExpressionAttributeValues: {
        ':accepted': 'accepted',
        ':delivered': 'delivered',
        ':token': token,
        ':list': LIST,
        ...Object.fromEntries(names.map((name) => [`:${name}`, initial[name]])),
      },
    });
    return row ?? ((await this.#read(notificationId)) as NotificationRow);
  }

  /** Marks a notification as delivered, unless it is marked already. Resolves to its row. */
  async markDelivered(notificationId: string, deliveredBy: string): Promise<NotificationRow> {
    const { renewal } = this.#retention;
    const row = await this.#update(notificationId, {
      ConditionExpression: '#status <> :delivered',
      UpdateExpression: `SET #status = :delivered, deliveredAt = :now, deliveredBy = :by${renewal.set} REMOVE ${FAILURE.join(', ')}${renewal.remove}`,
      ExpressionAttributeNames: { '#status': 'status', '#reason': 'reason' },
      ExpressionAttributeValues: {
        ':delivered': 'delivered',
        ':now': new Date().toISOString(),
        ':by': deliveredBy,
        ...renewal.values,
      },
    });
    return row ?? ((await this.#read(notificationId)) as NotificationRow);
  }

  /**
   * Records how the task of a notification ended, unless it was delivered or a later attempt is known. Resolves to
   * whether it was written. A delivered notification stays delivered, however its task ends.
   */
  async recordEnd({ taskId, state, token, at, error }: TaskEnd): Promise<boolean> {
    // The handler has marked it as delivered
    if (state === 'succeeded') return false;
    const otherwise = `The notification could not be sent (${error?.reason ?? 'unknown'})`;
    const failure = { ':failure': error && messageForCallers(error, otherwise), ':reason': error?.reason };
    const known = Object.entries(failure).filter(([, value]) => value !== undefined);
    const sets = known.map(([name]) => `, #${name.slice(1)} = ${name}`).join('');
    const { renewal } = this.#retention;
    const row = await this.#update(taskId, {
      ConditionExpression:
        'attribute_not_exists(#status) OR #status <> :delivered AND (attribute_not_exists(taskToken) OR taskToken < :token OR taskToken = :token AND #status = :accepted)',
      UpdateExpression: `SET #status = :status, taskToken = :token, listedIn = :list, createdAt = if_not_exists(createdAt, :at), listedAt = if_not_exists(listedAt, :listedAt), listedFor = if_not_exists(recipient, :nobody)${sets}${renewal.set} REMOVE ${INTAKE.join(', ')}${renewal.remove}`,
      ExpressionAttributeNames: {
        '#status': 'status',
        ...Object.fromEntries(known.map(([name]) => [`#${name.slice(1)}`, name.slice(1)])),
      },
      ExpressionAttributeValues: {
        ':status': state === 'cancelled' ? 'cancelled' : 'failed',
        ':accepted': 'accepted',
        ':delivered': 'delivered',
        ':token': token,
        ':list': LIST,
        ':at': at,
        ':listedAt': `${at}#${taskId}`,
        // The recipient is unknown if this service never saw the notification: its id keeps it out of all lists
        ':nobody': taskId,
        ...Object.fromEntries(known),
        ...renewal.values,
      },
    });
    return row !== undefined;
  }

  /** Finds an accepted notification. */
  async find(notificationId: string): Promise<NotificationRow | undefined> {
    const row = await this.#read(notificationId);
    if (!row || row.status === 'pending' || row.status === 'deleted') return undefined;
    return this.#retention.isOver(row) ? undefined : row;
  }

  /** Resolves when the table can be read. */
  async ping(): Promise<void> {
    await this.#read('ping');
  }

  async #read(notificationId: string): Promise<NotificationRow | undefined> {
    const { Item } = await this.#documents.send(
      new GetCommand({ TableName: this.#table, Key: { notificationId }, ConsistentRead: true }),
    );
    return Item as NotificationRow | undefined;
  }

  /** Resolves to the row after the update, or to undefined if the condition did not hold or the row was deleted. */
  async #update(
    notificationId: string,
    { ConditionExpression, ExpressionAttributeValues, ...update }: UpdateOfRow,
  ): Promise<NotificationRow | undefined> {
    try {
      const { Attributes } = await this.#documents.send(
        new UpdateCommand({
          TableName: this.#table,
          Key: { notificationId },
          ReturnValues: 'ALL_NEW',
          ConditionExpression: `(${ConditionExpression}) AND #status <> :deleted`,
          ExpressionAttributeValues: { ...ExpressionAttributeValues, ':deleted': 'deleted' },
          ...update,
        }),
      );
      return Attributes as NotificationRow;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return undefined;
      throw error;
    }
  }
}

/** The members of the row of a new notification. */
export function newRow(notificationId: string, { channel, recipient, subject, message }: Notification) {
  const createdAt = new Date().toISOString();
  const listedAt = `${createdAt}#${notificationId}`;
  return { notificationId, channel, recipient, ...(subject && { subject }), message, createdAt, listedAt };
}

/** The members that put a notification into the lists. */
export function listingOf({ recipient }: Notification) {
  return { listedIn: LIST, listedFor: recipient };
}

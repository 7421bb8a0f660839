import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, GetCommand, QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { Order, OrderOutcome } from '@baton/common/contracts/orders';
import type { TaskEnd } from 'baton-tasks';
import { eraseRow, Intake, type IntakeRow, type Retention } from 'baton-tasks/http';
import type { Logger } from 'baton-tasks/service';
import * as z from 'zod';
import { changeByEnd, changeByOutcome, LISTED, type OrderChange } from './order-change.ts';

/** The states of an order whose task has ended. */
const ENDED = ['completed', 'failed', 'cancelled'] as const;

/**
 * The state of an order. `pending`: SQS has not accepted its task yet. `deleted`: only the row's ids and tokens are left.
 * Callers see neither.
 */
export type OrderStatus = 'pending' | 'accepted' | 'processing' | 'deleted' | (typeof ENDED)[number];

/** Whether a message about an order was recorded, was 'overtaken' by a later attempt, or names an unknown order. */
export type Recorded = 'recorded' | 'overtaken' | 'unknown';

/** The row of an order. */
export interface OrderRow extends IntakeRow, Order {
  readonly status: OrderStatus;
  readonly taskId: string;
  /** The subject of the caller who placed it. Absent in rows of 0.1.0, which only operators see. */
  readonly owner?: string;
  /** When it was posted, ISO 8601. */
  readonly createdAt: string;
  /** Its place in the list: `createdAt`, made unique by the order's id. */
  readonly listedAt: string;
  readonly updatedAt?: string;
  readonly confirmationNumber?: string;
  readonly units?: number;
  /** Why it failed. */
  readonly failure?: string;
  /** The token of the latest known attempt. */
  readonly taskToken?: number;
  readonly notificationId?: string;
  /** The state of the customer's mail. Absent until it is known. */
  readonly notificationStatus?: 'delivered' | 'failed' | 'cancelled';
  readonly notificationFailure?: string;
  readonly notificationToken?: number;
}

/** A place in the list of orders. */
export const positionSchema = z.strictObject({ listedAt: z.string().min(1).max(100), orderId: z.uuid() });
type Position = z.output<typeof positionSchema>;

/** The index that lists orders by time. One partition takes 1,000 writes a second (AWS: "Partitions and data distribution"). */
const LIST_INDEX = 'newest-first';
const OWNER_INDEX = 'newest-first-by-owner';

/** A new order and its task. */
export interface NewOrder {
  readonly order: Order;
  /** The subject of the caller. */
  readonly owner: string;
  readonly taskId: string;
  /** A hash of the request: a repeated request has the same. */
  readonly requestHash: string;
  readonly sendTask: () => Promise<unknown>;
}

/** Which orders to list. */
export interface OrderQuery {
  /** Whose orders. Undefined: everybody's. */
  readonly owner: string | undefined;
  readonly limit: number;
  readonly after: Position | undefined;
}

/** A page of orders, and where the next page begins. */
export interface OrderPage {
  readonly orders: OrderRow[];
  readonly next: Position | undefined;
}

/** Configures the store of orders. */
export interface OrderStoreOptions {
  readonly documents: DynamoDBDocumentClient;
  readonly table: string;
  readonly logger: Logger;
  /** How long an order is kept after its last change. */
  readonly retention: Retention;
}

/**
 * The service's orders, in its own table. No other service reads or writes it. An order whose time is over is gone for all
 * readers, even if DynamoDB has not deleted it yet.
 */
export class OrderStore {
  readonly #documents: DynamoDBDocumentClient;
  readonly #table: string;
  readonly #retention: Retention;
  readonly #intake: Intake<OrderRow>;

  constructor({ documents, table, logger, retention }: OrderStoreOptions) {
    this.#documents = documents;
    this.#table = table;
    this.#retention = retention;
    this.#intake = new Intake({ documents, table, logger, retention, key: 'orderId' });
  }

  /** Accepts an order and sends its task. Throws what `Intake.accept` throws. */
  async accept({ order, owner, taskId, requestHash, sendTask }: NewOrder): Promise<void> {
    const createdAt = new Date().toISOString();
    const row = { ...order, owner, taskId, createdAt, listedAt: `${createdAt}#${order.orderId}` };
    await this.#intake.accept({ id: order.orderId, requestHash, row, listing: LISTED, sendTask });
  }

  /** Finds an accepted order. */
  async find(orderId: string): Promise<OrderRow | undefined> {
    const row = await this.#read(orderId);
    if (!row || row.status === 'pending' || row.status === 'deleted') return undefined;
    return this.#retention.isOver(row) ? undefined : row;
  }

  /**
   * Deletes an order whose task has ended. Ids, tokens and the request's digest are left for 36 days, so that late messages
   * and a repeated request do not bring it back.
   *
   * @param by - the subject of the caller
   * @returns whether it was deleted: not if its task has not ended, or it has changed since it was read
   */
  erase(
    { orderId, taskId, requestHash, taskToken, notificationToken }: OrderRow,
    by: string,
  ): Promise<boolean> {
    const rest = { orderId, taskId, requestHash, notificationToken };
    return eraseRow({ documents: this.#documents, table: this.#table, rest, ended: ENDED, taskToken, by });
  }

  /**
   * Lists accepted orders, newest first. A new one may be missing for a moment: the index follows the table. A page may
   * be short although more follow: pending rows of an owner are left out of it, and orders whose time is over.
   */
  async list({ owner, limit, after }: OrderQuery): Promise<OrderPage> {
    const [index, member, value] =
      owner === undefined ? [LIST_INDEX, 'listedIn', LISTED.listedIn] : [OWNER_INDEX, 'owner', owner];
    const { Items = [], LastEvaluatedKey } = await this.#documents.send(
      new QueryCommand({
        TableName: this.#table,
        IndexName: index,
        KeyConditionExpression: '#member = :value',
        FilterExpression: '#status <> :pending AND (attribute_not_exists(expiresAt) OR expiresAt > :now)',
        ExpressionAttributeNames: { '#member': member, '#status': 'status' },
        ExpressionAttributeValues: {
          ':value': value,
          ':pending': 'pending',
          ':now': this.#retention.nowSeconds,
        },
        ScanIndexForward: false,
        Limit: limit,
        ...(after && { ExclusiveStartKey: { [member]: value, ...after } }),
      }),
    );
    const next = LastEvaluatedKey && positionSchema.strip().parse(LastEvaluatedKey);
    return { orders: Items as OrderRow[], next };
  }

  /** Records what an attempt reports, unless a later attempt has reported already. */
  record(outcome: OrderOutcome): Promise<Recorded> {
    return this.#change(outcome.orderId, changeByOutcome(outcome));
  }

  /**
   * Records how a task of the order ended, unless a later attempt has reported already.
   *
   * @throws RejectTask if no order depends on the task
   */
  recordEnd(orderId: string, end: TaskEnd): Promise<Recorded> {
    return this.#change(orderId, changeByEnd(end));
  }

  /** Resolves when the table can be read. */
  async ping(): Promise<void> {
    await this.#read('00000000-0000-0000-0000-000000000000');
  }

  async #change(orderId: string, change: OrderChange): Promise<Recorded> {
    const { condition, values } = change;
    const { expiresAt } = this.#retention;
    const set = expiresAt === undefined ? change.set : { ...change.set, expiresAt };
    const remove = expiresAt === undefined ? [...change.remove, 'expiresAt'] : change.remove;
    const names = Object.keys(set);
    const sets = names.map((name) => `#${name} = :${name}`).join(', ');
    try {
      await this.#documents.send(
        new UpdateCommand({
          TableName: this.#table,
          Key: { orderId },
          ConditionExpression: `${condition} AND #status <> :deleted`,
          UpdateExpression: `SET ${sets}${remove.length > 0 ? ` REMOVE ${remove.join(', ')}` : ''}`,
          ExpressionAttributeNames: {
            ...Object.fromEntries(names.map((name) => [`#${name}`, name])),
            '#status': 'status',
          },
          ExpressionAttributeValues: {
            ...Object.fromEntries(Object.entries(set).map(([name, value]) => [`:${name}`, value])),
            ...values,
            ':deleted': 'deleted',
          },
        }),
      );
      return 'recorded';
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      return (await this.#read(orderId)) ? 'overtaken' : 'unknown';
    }
  }

  async #read(orderId: string): Promise<OrderRow | undefined> {
    const { Item } = await this.#documents.send(
      new GetCommand({ TableName: this.#table, Key: { orderId }, ConsistentRead: true }),
    );
    return Item as OrderRow | undefined;
  }
}

import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, GetCommand, QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { Order, OrderOutcome } from '@baton/common/contracts/orders';
import { Intake, type IntakeRow } from '@baton/common/state/intake';
import type { Logger } from '@baton/common/telemetry/logger';
import * as z from 'zod';

/** How far an order has come; `pending` before SQS has taken its task, which nobody is shown. */
export type OrderStatus = 'pending' | 'accepted' | 'processing' | 'completed' | 'failed';

/** An order as it stands in the table. */
export interface OrderRow extends IntakeRow, Order {
  readonly status: OrderStatus;
  readonly taskId: string;
  /** When it was posted, ISO 8601. */
  readonly createdAt: string;
  /** Its place in the list: `createdAt`, made unique by the order's id. */
  readonly listedAt: string;
  readonly updatedAt?: string;
  readonly confirmationNumber?: string;
  readonly units?: number;
  readonly notificationId?: string;
  readonly failure?: string;
}

/** A place in the list of orders. */
export const positionSchema = z.strictObject({ listedAt: z.string().min(1).max(100), orderId: z.uuid() });
type Position = z.output<typeof positionSchema>;

/** The index that lists orders by time. One partition takes 1,000 writes a second (AWS: "Partitions and data distribution"). */
const LIST_INDEX = 'newest-first';
const LISTED = { listedIn: 'orders' };

/** Which statuses an outcome may follow: outcomes can arrive late, twice and in any order. */
const MAY_FOLLOW = {
  processing: ['pending', 'accepted'],
  completed: ['pending', 'accepted', 'processing'],
  failed: ['pending', 'accepted', 'processing'],
} as const satisfies Record<OrderOutcome['status'], readonly OrderStatus[]>;

/** A new order and its task. */
export interface NewOrder {
  readonly order: Order;
  readonly taskId: string;
  /** A digest of the request, by which a repeated one is known. */
  readonly requestHash: string;
  readonly sendTask: () => Promise<unknown>;
}

/** A page of orders, and where the next one begins. */
export interface OrderPage {
  readonly orders: OrderRow[];
  readonly next: Position | undefined;
}

/** The orders of this service, in its own table, which no other service reads or writes. */
export class OrderStore {
  readonly #documents: DynamoDBDocumentClient;
  readonly #table: string;
  readonly #intake: Intake<OrderRow>;

  constructor(documents: DynamoDBDocumentClient, table: string, logger: Logger) {
    this.#documents = documents;
    this.#table = table;
    this.#intake = new Intake({ documents, table, logger, key: 'orderId' });
  }

  /** Takes an order in and sends its task; see Intake for what it throws. */
  async take({ order, taskId, requestHash, sendTask }: NewOrder): Promise<void> {
    const createdAt = new Date().toISOString();
    const row = { ...order, taskId, createdAt, listedAt: `${createdAt}#${order.orderId}` };
    await this.#intake.take({ id: order.orderId, requestHash, row, listing: LISTED, sendTask });
  }

  /** The order of that id, if it was accepted. */
  async find(orderId: string): Promise<OrderRow | undefined> {
    const row = await this.#read(orderId);
    return row?.status === 'pending' ? undefined : row;
  }

  /** Accepted orders, newest first. A new one may be missing for a moment: the index follows the table. */
  async list(limit: number, after: Position | undefined): Promise<OrderPage> {
    const { Items = [], LastEvaluatedKey } = await this.#documents.send(
      new QueryCommand({
        TableName: this.#table,
        IndexName: LIST_INDEX,
        KeyConditionExpression: 'listedIn = :list',
        ExpressionAttributeValues: { ':list': LISTED.listedIn },
        ScanIndexForward: false,
        Limit: limit,
        ...(after && { ExclusiveStartKey: { ...LISTED, ...after } }),
      }),
    );
    const next = LastEvaluatedKey && positionSchema.strip().parse(LastEvaluatedKey);
    return { orders: Items as OrderRow[], next };
  }

  /**
   * Writes an outcome down, unless a later one stands there already.
   *
   * @returns 'recorded', 'overtaken' by a later outcome, or 'unknown' when there is no such order
   */
  async record({ orderId, at, ...outcome }: OrderOutcome): Promise<'recorded' | 'overtaken' | 'unknown'> {
    const members = outcomeMembers(outcome, at);
    const names = Object.keys(members);
    const before = MAY_FOLLOW[outcome.status];
    try {
      await this.#documents.send(
        new UpdateCommand({
          TableName: this.#table,
          Key: { orderId },
          ConditionExpression: `#status IN (${before.map((_, index) => `:before${index}`).join(', ')})`,
          UpdateExpression: `SET ${names.map((name) => `#${name} = :${name}`).join(', ')} REMOVE holder, heldUntilMs, expiresAt`,
          ExpressionAttributeNames: Object.fromEntries(names.map((name) => [`#${name}`, name])),
          ExpressionAttributeValues: {
            ...Object.fromEntries(Object.entries(members).map(([name, value]) => [`:${name}`, value])),
            ...Object.fromEntries(before.map((status, index) => [`:before${index}`, status])),
          },
        }),
      );
      return 'recorded';
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      return (await this.#read(orderId)) ? 'overtaken' : 'unknown';
    }
  }

  /** Resolves when the table can be read. */
  async ping(): Promise<void> {
    await this.#read('00000000-0000-0000-0000-000000000000');
  }

  async #read(orderId: string): Promise<OrderRow | undefined> {
    const { Item } = await this.#documents.send(
      new GetCommand({ TableName: this.#table, Key: { orderId }, ConsistentRead: true }),
    );
    return Item as OrderRow | undefined;
  }
}

type OutcomeOf<Outcome> = Outcome extends OrderOutcome ? Omit<Outcome, 'orderId' | 'at'> : never;

function outcomeMembers(outcome: OutcomeOf<OrderOutcome>, at: string): Record<string, unknown> {
  const common = { ...LISTED, status: outcome.status, updatedAt: at };
  switch (outcome.status) {
    case 'processing':
      return common;
    case 'completed': {
      const { confirmationNumber, units, notificationId } = outcome;
      return { ...common, confirmationNumber, units, notificationId };
    }
    case 'failed':
      return { ...common, failure: outcome.reason };
  }
}

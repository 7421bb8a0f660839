import { itemsOf, orderItemSchema, orderSchema, processOrder } from '@baton/common/contracts/orders';
import {
  type Caller,
  createApi,
  cursorOf,
  hashOfRequest,
  IdempotencyKeys,
  notFound,
  pageQuery,
  Problem,
  readable,
  route,
} from 'baton-tasks/http';
import { v5 as uuidv5 } from 'uuid';
import * as z from 'zod';
import { orders, service } from './service.ts';
import { type OrderRow, positionSchema } from './store.ts';

/** The lane of the queue `orders` that an order travels in, by its priority. */
const LANES = { HIGH: 'high', NORMAL: 'normal', LOW: 'low' } as const;

/** The scope of those who see everybody's orders, and place orders for others. */
const OPERATOR = 'operator';

/** Strict: a caller should hear of a misspelt member. The contract's schema ignores it, so old workers take new payloads. */
const newOrderSchema = z.strictObject({
  ...orderSchema.omit({ orderId: true }).shape,
  /** Default: the caller. */
  customerId: orderSchema.shape.customerId.optional(),
  items: itemsOf(orderItemSchema.strict()),
});
const keys = new IdempotencyKeys({
  documents: service.documents,
  table: service.config.ORDERS_TABLE,
  key: 'orderId',
  namespace: '6f0f6f3c-5a0e-4c57-9d0b-3d1d2b1a7c11',
});
const listSchema = z.strictObject(pageQuery);
const cursor = cursorOf(positionSchema);

const postOrder = route(
  'POST',
  '/orders',
  { body: readable(newOrderSchema) },
  async ({ body, caller, headers, trace }) => {
    const { customerId, ...rest } = body;
    const ordered = { customerId: customerOf(customerId, caller), ...rest };
    const requestHash = hashOfRequest(ordered);
    const orderId = await keys.idOf({ headers, caller, requestHash });
    const taskId = uuidv5('process', orderId);
    const order = { orderId, ...ordered };
    const lane = LANES[order.priority];
    const sendTask = () => service.tasks.send(processOrder, order, { taskId, lane, trace, subject: orderId });
    await orders.accept({ order, owner: caller.subject, taskId, requestHash, sendTask });
    return {
      status: 202,
      headers: { location: `/orders/${orderId}` },
      body: { orderId, taskId, status: 'accepted' },
    };
  },
);

const getOrder = route('GET', '/orders/{orderId}', {}, async ({ caller, param }) => {
  const row = await orders.find(param('orderId'));
  if (!row || !isSeen(row, caller)) throw notFound('order', param('orderId'));
  return { status: 200, body: orderView(row) };
});

const deleteOrder = route('DELETE', '/orders/{orderId}', {}, async ({ caller, param }) => {
  const orderId = param('orderId');
  const row = await orders.find(orderId);
  if (!row || !isSeen(row, caller)) throw notFound('order', orderId);
  if (await orders.erase(row, caller.subject)) return { status: 204 };
  throw new Problem('task-not-ended', {
    detail: `The order ${JSON.stringify(orderId)} is ${row.status}, or has just changed; expected one that has ended.`,
  });
});

const listOrders = route('GET', '/orders', { query: listSchema }, async ({ caller, query }) => {
  const owner = caller.may(OPERATOR) ? undefined : caller.subject;
  const page = await orders.list({ owner, limit: query.limit, after: cursor.decode(query.cursor) });
  const { items, nextCursor } = cursor.page(page.orders, page.next, orderView);
  return { status: 200, body: { orders: items, nextCursor } };
});

/** The API of order-service. */
export const handler = createApi(service, [postOrder, getOrder, listOrders, deleteOrder]);

/** A caller sees his own orders, an operator everybody's. */
function isSeen({ owner }: OrderRow, caller: Caller): boolean {
  return owner === caller.subject || caller.may(OPERATOR);
}

/** Whose order it is: the caller's own, unless an operator names another customer. */
function customerOf(customerId: string | undefined, caller: Caller): string {
  if (customerId !== undefined && caller.may(OPERATOR)) return customerId;
  if (caller.isAnonymous)
    throw new Problem('invalid-request', {
      detail: 'The body breaks its schema.',
      errors: [
        { path: 'customerId', message: 'expected the id of the customer, because no token says who calls' },
      ],
    });
  if (customerId === undefined || customerId === caller.subject) return caller.subject;
  throw new Problem('forbidden', {
    detail: `The customerId is not your own; expected ${JSON.stringify(caller.subject)}, no customerId, or a token with the scope ${OPERATOR}.`,
    headers: { 'www-authenticate': `Bearer error="insufficient_scope", scope="${OPERATOR}"` },
  });
}

/** The part of an order that callers see. */
function orderView(row: OrderRow) {
  const { notificationId, notificationStatus, notificationFailure } = row;
  return {
    orderId: row.orderId,
    taskId: row.taskId,
    status: row.status,
    customerId: row.customerId,
    customerEmail: row.customerEmail,
    items: row.items,
    totalAmount: row.totalAmount,
    currency: row.currency,
    priority: row.priority,
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
    confirmationNumber: row.confirmationNumber,
    units: row.units,
    failure: row.failure,
    notification: notificationId && {
      notificationId,
      status: notificationStatus ?? 'requested',
      failure: notificationFailure,
    },
  };
}

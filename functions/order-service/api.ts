import { itemsOf, orderItemSchema, orderSchema, processOrder } from '@baton/common/contracts/orders';
import {
  createApi,
  cursorOf,
  hashOfRequest,
  idOfRequest,
  notFound,
  pageQuery,
  readable,
  route,
} from 'baton-tasks/http';
import { v5 as uuidv5 } from 'uuid';
import * as z from 'zod';
import { orders, service } from './service.ts';
import { type OrderRow, positionSchema } from './store.ts';

/** The namespace of the ids that are made from idempotency keys (UUID version 5). */
const ORDERS = '6f0f6f3c-5a0e-4c57-9d0b-3d1d2b1a7c11';

/** The lane of the queue `orders` that an order travels in, by its priority. */
const LANES = { HIGH: 'high', NORMAL: 'normal', LOW: 'low' } as const;

/** Strict: a caller should hear of a misspelt member. The contract's schema ignores it, so old workers take new payloads. */
const newOrderSchema = z.strictObject({
  ...orderSchema.omit({ orderId: true }).shape,
  items: itemsOf(orderItemSchema.strict()),
});
const listSchema = z.strictObject(pageQuery);
const cursor = cursorOf(positionSchema);

const postOrder = route(
  'POST',
  '/orders',
  { body: readable(newOrderSchema) },
  async ({ body, headers, trace }) => {
    const orderId = idOfRequest(headers, ORDERS);
    const taskId = uuidv5('process', orderId);
    const order = { orderId, ...body };
    const lane = LANES[order.priority];
    const sendTask = () => service.tasks.send(processOrder, order, { taskId, lane, trace, subject: orderId });
    await orders.accept({ order, taskId, requestHash: hashOfRequest(body), sendTask });
    return {
      status: 202,
      headers: { location: `/orders/${orderId}` },
      body: { orderId, taskId, status: 'accepted' },
    };
  },
);

const getOrder = route('GET', '/orders/{orderId}', {}, async ({ param }) => {
  const row = await orders.find(param('orderId'));
  if (!row) throw notFound('order', param('orderId'));
  return { status: 200, body: orderView(row) };
});

const listOrders = route('GET', '/orders', { query: listSchema }, async ({ query }) => {
  const page = await orders.list(query.limit, cursor.decode(query.cursor));
  const { items, nextCursor } = cursor.page(page.orders, page.next, orderView);
  return { status: 200, body: { orders: items, nextCursor } };
});

/** The API of order-service. */
export const handler = createApi(service, [postOrder, getOrder, listOrders]);

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

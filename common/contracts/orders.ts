import * as z from 'zod';
import { defineTask, taskEndSchema } from 'baton-tasks';
import { currencyDecimals } from './currencies.ts';
import { mailAddressSchema } from './mail-address.ts';

/** One line of an order. */
export const orderItemSchema = z.object({
  productId: z.string().min(1).max(64),
  quantity: z.int().min(1).max(10_000),
});

/** 1 to 100 items. */
export function itemsOf<Item extends z.ZodType>(item: Item) {
  return z.array(item).min(1).max(100);
}

/** An order as the payload of its task. */
export const orderSchema = z.object({
  orderId: z.uuid(),
  /** The subject of the customer's token, or an operator's name for him. */
  customerId: z.string().min(1).max(255),
  customerEmail: mailAddressSchema,
  items: itemsOf(orderItemSchema),
  /** In the currency's minor unit: cents, not euros. */
  totalAmount: z.int().positive(),
  /** ISO 4217. */
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/, { error: 'expected an ISO 4217 code such as EUR', abort: true })
    .refine((code) => currencyDecimals.has(code), 'expected an ISO 4217 code in use, such as EUR'),
  /** order-service chooses the lane of its task by it. */
  priority: z.enum(['LOW', 'NORMAL', 'HIGH']).default('NORMAL'),
});

/** An order, checked. */
export type Order = z.output<typeof orderSchema>;

/**
 * Record the end of an order's task, or of the task of its customer's mail. The subject is the order's id. Consumed by
 * order-service, because only it writes its table.
 */
export const recordOrderTaskEnd = defineTask({
  name: 'orders.record-task-end',
  queue: 'order-outcomes',
  payload: taskEndSchema,
  result: z.object({ recorded: z.boolean() }),
  retry: { maxAttempts: 8, baseSeconds: 5, capSeconds: 300 },
  timeoutSeconds: 20,
});

/** Process an order: confirm it and have its customer notified. Its subject is the order's id. */
export const processOrder = defineTask({
  name: 'orders.process',
  // 4: accepts every subject of a token as the customer
  version: 4,
  queue: 'orders',
  lanes: { high: 8, normal: 3, low: 1 },
  defaultLane: 'normal',
  payload: orderSchema,
  result: z.object({
    confirmationNumber: z.string().min(1).max(32),
    units: z.int().positive(),
    notificationTaskId: z.string().min(1),
  }),
  retry: { maxAttempts: 4, baseSeconds: 60 },
  timeoutSeconds: 60,
  tracked: true,
  onEnd: recordOrderTaskEnd,
});

/** The fencing token of the attempt that reports it. A smaller one is of an earlier attempt. */
const token = z.int().min(0).optional();

/**
 * A report of an attempt about its order. The end of the order's task is told to its `onEnd`. `completed` and `failed`
 * come from workers of versions without `onEnd`.
 */
export const orderOutcomeSchema = z.discriminatedUnion('status', [
  z.object({ orderId: z.uuid(), status: z.literal('processing'), at: z.iso.datetime(), token }),
  z.object({
    orderId: z.uuid(),
    status: z.literal('completed'),
    at: z.iso.datetime(),
    confirmationNumber: z.string().min(1).max(32),
    units: z.int().positive(),
    notificationId: z.string().min(1).max(128),
  }),
  z.object({
    orderId: z.uuid(),
    status: z.literal('failed'),
    at: z.iso.datetime(),
    reason: z.string().min(1).max(500),
  }),
]);

/** An outcome, checked. */
export type OrderOutcome = z.output<typeof orderOutcomeSchema>;

/** Record what an attempt reports about an order. Consumed by order-service, because only it writes its table. */
export const recordOrderOutcome = defineTask({
  name: 'orders.record-outcome',
  queue: 'order-outcomes',
  payload: orderOutcomeSchema,
  result: z.object({ recorded: z.boolean() }),
  retry: { maxAttempts: 8, baseSeconds: 5, capSeconds: 300 },
  timeoutSeconds: 20,
});

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

/** An order, as it is handed to whoever processes it. */
export const orderSchema = z.object({
  orderId: z.uuid(),
  customerId: z.string().min(1).max(64),
  customerEmail: mailAddressSchema,
  items: itemsOf(orderItemSchema),
  /** In the currency's minor unit: cents, not euros. */
  totalAmount: z.int().positive(),
  /** ISO 4217. */
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/, { error: 'expected an ISO 4217 code such as EUR', abort: true })
    .refine((code) => currencyDecimals.has(code), 'expected an ISO 4217 code in use, such as EUR'),
  /** Which lane its task travels in; order-service maps them. */
  priority: z.enum(['LOW', 'NORMAL', 'HIGH']).default('NORMAL'),
});

/** An order, checked. */
export type Order = z.output<typeof orderSchema>;

/**
 * Write down how a task ended that an order is about, which is its subject: its own, or that of its customer's mail.
 * Consumed by order-service, which alone writes its table.
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
  // 3: takes all mail addresses that can be delivered to, with middle dots in their domains, too
  version: 3,
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

/** The fencing token of the attempt that says so: what comes with a smaller one is of an earlier attempt. */
const token = z.int().min(0).optional();

/**
 * What an attempt says of an order. How the order's task ended, its `onEnd` is told; `completed` and `failed` come from
 * workers of before that.
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

/** Write down what an attempt says of an order. Consumed by order-service, which alone writes its table. */
export const recordOrderOutcome = defineTask({
  name: 'orders.record-outcome',
  queue: 'order-outcomes',
  payload: orderOutcomeSchema,
  result: z.object({ recorded: z.boolean() }),
  retry: { maxAttempts: 8, baseSeconds: 5, capSeconds: 300 },
  timeoutSeconds: 20,
});

import { createHash } from 'node:crypto';
import { v5 as uuidv5 } from 'uuid';
import { sendNotification } from '../contracts/notifications.ts';
import { type Order, processOrder, recordOrderOutcome } from '../contracts/orders.ts';
import { RejectTask } from '../queue/errors.ts';
import { implement } from '../queue/implementation.ts';

/** The most units that one order may have and still be processed without a person looking at it. */
export const MAX_UNITS_PER_ORDER = 100_000;

/**
 * Processes an order. Run twice for one order it says the same twice: confirmation number and notification id
 * come from the order's id, so that a redelivery makes no second notification.
 */
export const processOrderTask = implement(processOrder, async (order, { send, logger }) => {
  await send(recordOrderOutcome, { orderId: order.orderId, status: 'processing', at: now() });
  const units = order.items.reduce((sum, { quantity }) => sum + quantity, 0);
  if (units > MAX_UNITS_PER_ORDER) {
    const reason = `${units} units are more than the ${MAX_UNITS_PER_ORDER} that one order may have`;
    await send(recordOrderOutcome, { orderId: order.orderId, status: 'failed', at: now(), reason });
    throw new RejectTask(reason);
  }
  const confirmationNumber = confirmationNumberOf(order);
  const notification = await send(sendNotification, confirmationMail(order, units, confirmationNumber), {
    taskId: uuidv5('confirmation', order.orderId),
  });
  await send(recordOrderOutcome, {
    orderId: order.orderId,
    status: 'completed',
    at: now(),
    confirmationNumber,
    units,
    notificationId: notification.taskId,
  });
  logger.debug({ orderId: order.orderId, confirmationNumber }, 'order confirmed');
  return { confirmationNumber, units, notificationTaskId: notification.taskId };
});

function confirmationNumberOf({ orderId }: Order): string {
  const digest = createHash('sha256').update(orderId).digest();
  return `B-${digest.readBigUInt64BE().toString(36).toUpperCase().padStart(13, '0').slice(-10)}`;
}

function confirmationMail(
  { customerEmail, totalAmount, currency }: Order,
  units: number,
  confirmationNumber: string,
) {
  return {
    channel: 'EMAIL',
    recipient: customerEmail,
    subject: `Your order ${confirmationNumber}`,
    message: `Thank you for your order of ${units} ${units === 1 ? 'unit' : 'units'} for ${formatAmount(totalAmount, currency)}. Its confirmation number is ${confirmationNumber}.`,
  } as const;
}

function formatAmount(minorUnits: number, currency: string): string {
  const format = new Intl.NumberFormat('en', { style: 'currency', currency, currencyDisplay: 'code' });
  const digits = format.resolvedOptions().maximumFractionDigits ?? 2;
  return format.format(minorUnits / 10 ** digits).replaceAll('\u00A0', ' ');
}

function now(): string {
  return new Date().toISOString();
}

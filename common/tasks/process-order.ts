import { createHash } from 'node:crypto';
import { v5 as uuidv5 } from 'uuid';
import { currencyDecimals } from '../contracts/currencies.ts';
import { sendNotification } from '../contracts/notifications.ts';
import { type Order, processOrder, recordOrderOutcome, recordOrderTaskEnd } from '../contracts/orders.ts';
import { implement, RejectTask } from 'baton-tasks';

/** The most units that an order may have without a person looking at it. */
export const MAX_UNITS_PER_ORDER = 100_000;

/**
 * Processes an order. Confirmation number and notification id come from the order's id, so running it twice gives the same
 * result and one notification. `recordOrderTaskEnd` tells order-service how this task and the mail's task ended.
 */
export const processOrderTask = implement(processOrder, async (order, { send, token }) => {
  const { orderId } = order;
  await send(recordOrderOutcome, {
    orderId,
    status: 'processing',
    at: new Date().toISOString(),
    token,
  });
  const units = order.items.reduce((sum, { quantity }) => sum + quantity, 0);
  if (units > MAX_UNITS_PER_ORDER) {
    throw new RejectTask(`${units} units are too many: expected at most ${MAX_UNITS_PER_ORDER} in one order`);
  }
  const confirmationNumber = confirmationNumberOf(order);
  const { taskId: notificationTaskId } = await send(
    sendNotification,
    confirmationMail(order, units, confirmationNumber),
    { taskId: uuidv5('confirmation', orderId), subject: orderId, onEnd: recordOrderTaskEnd },
  );
  return { confirmationNumber, units, notificationTaskId };
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
  const decimals = currencyDecimals.get(currency) ?? 0;
  const digits = { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
  return `${currency} ${(minorUnits / 10 ** decimals).toLocaleString('en', digits)}`;
}

import { describe, expect, test } from '@jest/globals';
import type { SendTask } from 'baton-tasks';
import { runTask, type RunTaskOptions, type TaskRun } from 'baton-tasks/testing';
import { sendNotification } from '../contracts/notifications.ts';
import { processOrder } from '../contracts/orders.ts';
import { processOrderTask } from '../tasks/process-order.ts';

const order = {
  orderId: '0190c8b2-0000-7000-8000-000000000000',
  customerId: 'c-1',
  customerEmail: 'customer@example.com',
  items: [{ productId: 'p-1', quantity: 2 }],
  totalAmount: 420_000,
  currency: 'EUR',
};

/** Runs an attempt at the order with these changes. */
const run = (change: object = {}, options: RunTaskOptions = {}) =>
  runTask(processOrderTask, { ...order, ...change }, options);

/** The task, in a system whose SQS does not accept notifications. */
const withoutMails: typeof processOrderTask = {
  ...processOrderTask,
  run: (payload, context) => {
    const send: SendTask = async (contract, ...task) => {
      if (contract.name === sendNotification.name) throw new Error('no broker');
      return context.send(contract, ...task);
    };
    return processOrderTask.run(payload, { ...context, send });
  },
};

/** The payload of the mail that an attempt sent. */
const mailOf = ({ sends }: TaskRun) => sends[1]?.payload;

describe('an order', () => {
  test('is reported as processing, with the token of the attempt, and its customer is notified', async () => {
    const { sends, result } = await run({}, { attempt: 2 });
    expect(sends.map(({ task }) => task)).toEqual(['orders.record-outcome', 'notifications.send']);
    const [begun, mail] = sends;
    expect(begun?.payload).toMatchObject({ orderId: order.orderId, status: 'processing', token: 2 });
    expect(mail?.payload).toMatchObject({ channel: 'EMAIL', recipient: order.customerEmail });
    expect(mail?.options).toMatchObject({
      subject: order.orderId,
      onEnd: { name: 'orders.record-task-end' },
    });
    expect(result).toEqual({
      confirmationNumber: expect.any(String) as unknown,
      units: 2,
      notificationTaskId: mail?.taskId,
    });
  });

  test('has the same confirmation number and notification however often it is processed', async () => {
    const [first, second] = [await run(), await run({}, { attempt: 2 })];
    expect(second.result).toEqual(first.result);
    const other = await run({ orderId: '0190c8b2-0000-7000-8000-000000000001' });
    expect(other.result).not.toEqual(first.result);
  });

  test.each([
    ['EUR', 'EUR 4,200.00'],
    ['JPY', 'JPY 420,000'],
    ['KWD', 'KWD 420.000'],
    ['HUF', 'HUF 4,200.00'],
  ])("names its amount in %s by that currency's own decimals", async (currency, amount) => {
    const message = expect.stringContaining(` for ${amount}.`) as unknown;
    expect(mailOf(await run({ currency }))).toMatchObject({ message });
  });

  test('with too many units is rejected, and nobody is notified', async () => {
    const items = Array.from({ length: 11 }, () => ({ productId: 'p', quantity: 10_000 }));
    const { sends, outcome } = await run({ items });
    expect(outcome).toMatchObject({ kind: 'dead-letter', reason: 'rejected' });
    expect(sends.map(({ task }) => task)).toEqual(['orders.record-outcome']);
  });

  test('fails if its customer cannot be notified, and reports no outcome: the listener is told the end', async () => {
    const { outcome, sends } = await runTask(withoutMails, order, { attempt: 4 });
    expect(outcome).toMatchObject({ reason: 'attempts-exhausted', error: { message: 'no broker' } });
    expect(sends.map(({ payload }) => payload)).toMatchObject([{ status: 'processing' }]);
  });

  test('tells the end of its task to order-service', () => {
    expect(processOrder.onEnd?.name).toBe('orders.record-task-end');
  });
});

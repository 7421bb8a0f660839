import { describe, expect, test } from '@jest/globals';
import { orderSchema, processOrder } from '../contracts/orders.ts';
import type { SendOptions, SendTask, TaskContext } from 'baton-tasks';
import { createLogger } from 'baton-tasks/service';
import { processOrderTask } from '../tasks/process-order.ts';

const order = {
  orderId: '0190c8b2-0000-7000-8000-000000000000',
  customerId: 'c-1',
  customerEmail: 'customer@example.com',
  items: [{ productId: 'p-1', quantity: 2 }],
  totalAmount: 420_000,
  currency: 'EUR',
};

interface Sent {
  readonly task: string;
  readonly payload: Record<string, unknown>;
  readonly options: SendOptions;
}

/** Runs the task and gives what it sent; `failing` is a task that SQS does not take. */
async function run(
  change: object = {},
  attempt = 1,
  failing?: string,
): Promise<{ sent: Sent[]; result: unknown; error: unknown }> {
  const sent: Sent[] = [];
  const send = (async (contract, payload, options) => {
    if (contract.name === failing) throw new Error('no broker');
    sent.push({ task: contract.name, payload: payload as Record<string, unknown>, options: options ?? {} });
    return { taskId: options?.taskId ?? 'new' };
  }) as SendTask;
  const context: TaskContext & { token: number } = {
    taskId: 't-1',
    attempt,
    token: attempt,
    maxAttempts: 4,
    signal: new AbortController().signal,
    logger: createLogger({ service: 'tests', level: 'silent' }),
    send,
    worker: { id: 'w-1', version: '1' },
  };
  try {
    const result = await processOrderTask.run(orderSchema.parse({ ...order, ...change }), context);
    return { sent, result, error: undefined };
  } catch (error) {
    return { sent, result: undefined, error };
  }
}

describe('an order', () => {
  test('is said to be processing, by which attempt, and its customer is notified', async () => {
    const { sent, result } = await run({}, 2);
    expect(sent.map(({ task }) => task)).toEqual(['orders.record-outcome', 'notifications.send']);
    const [begun, mail] = sent;
    expect(begun?.payload).toMatchObject({ orderId: order.orderId, status: 'processing', token: 2 });
    expect(mail?.payload).toMatchObject({ channel: 'EMAIL', recipient: order.customerEmail });
    expect(mail?.options).toMatchObject({
      subject: order.orderId,
      onEnd: { name: 'orders.record-task-end' },
    });
    expect(result).toEqual({
      confirmationNumber: expect.any(String) as unknown,
      units: 2,
      notificationTaskId: mail?.options.taskId,
    });
  });

  test('has the same confirmation number and notification however often it is processed', async () => {
    const [first, second] = [await run(), await run({}, 2)];
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
    const { sent } = await run({ currency });
    expect(sent[1]?.payload['message']).toContain(` for ${amount}.`);
  });

  test('of too many units is rejected, and nobody is notified', async () => {
    const items = Array.from({ length: 11 }, () => ({ productId: 'p', quantity: 10_000 }));
    const { sent, error } = await run({ items });
    expect(error).toMatchObject({ name: 'RejectTask' });
    expect(sent.map(({ task }) => task)).toEqual(['orders.record-outcome']);
  });

  test('whose customer cannot be notified fails as it is, for its end is told by itself', async () => {
    const { sent, error } = await run({}, 4, 'notifications.send');
    expect(error).toMatchObject({ message: 'no broker' });
    expect(sent.map(({ payload }) => payload['status'])).toEqual(['processing']);
  });

  test('says how its task ended to the service that took it in', () => {
    expect(processOrder.onEnd?.name).toBe('orders.record-task-end');
  });
});

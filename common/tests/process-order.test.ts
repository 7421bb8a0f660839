import { describe, expect, test } from '@jest/globals';
import { orderSchema } from '@baton/common/contracts/orders';
import type { TaskContext } from '@baton/common/queue/implementation';
import type { SendTask } from '@baton/common/queue/task-client';
import { processOrderTask } from '@baton/common/tasks/process-order';
import { createLogger } from '@baton/common/telemetry/logger';

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
  readonly taskId: string | undefined;
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
    sent.push({ task: contract.name, payload: payload as Record<string, unknown>, taskId: options?.taskId });
    return { taskId: options?.taskId ?? 'new' };
  }) as SendTask;
  const context: TaskContext = {
    taskId: 't-1',
    attempt,
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

const outcomes = (sent: readonly Sent[]) =>
  sent.filter(({ task }) => task === 'orders.record-outcome').map(({ payload }) => payload['status']);

describe('an order', () => {
  test('is said to be processing, its customer notified, and then said to be completed', async () => {
    const { sent, result } = await run();
    expect(sent.map(({ task }) => task)).toEqual([
      'orders.record-outcome',
      'notifications.send',
      'orders.record-outcome',
    ]);
    expect(outcomes(sent)).toEqual(['processing', 'completed']);
    expect(sent[1]?.payload).toMatchObject({ channel: 'EMAIL', recipient: order.customerEmail });
    const notificationId = sent[1]?.taskId;
    expect(result).toEqual({
      confirmationNumber: expect.any(String) as unknown,
      units: 2,
      notificationTaskId: notificationId,
    });
    const { confirmationNumber } = result as { confirmationNumber: string };
    expect(sent[2]?.payload).toMatchObject({ confirmationNumber, units: 2, notificationId });
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

  test('of too many units is rejected and said to have failed', async () => {
    const items = Array.from({ length: 11 }, () => ({ productId: 'p', quantity: 10_000 }));
    const { sent, error } = await run({ items });
    expect(error).toMatchObject({ name: 'RejectTask' });
    expect(outcomes(sent)).toEqual(['processing', 'failed']);
  });

  test('is said to have failed when its last attempt has, and not before', async () => {
    expect(outcomes((await run({}, 3, 'notifications.send')).sent)).toEqual(['processing']);
    expect(outcomes((await run({}, 4, 'notifications.send')).sent)).toEqual(['processing', 'failed']);
  });
});

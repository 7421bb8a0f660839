import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { describeFunctions, FunctionImages, httpEvent } from '../function-images.ts';

const order = {
  customerId: 'c-1',
  customerEmail: 'ada@example.com',
  items: [{ productId: 'p-1', quantity: 2 }],
  totalAmount: 2100,
  currency: 'EUR',
};

describeFunctions('as functions', () => {
  const functions = new FunctionImages();

  beforeAll(() => functions.build(['functions/order-service', 'functions/notification-service', 'worker']));
  afterEach(() => functions.stopAll());
  afterAll(() => functions.remove());

  test('an order is posted, processed, recorded and notified by the four images alone', async () => {
    const [api, worker, outcomes, deliveries, notifications] = await Promise.all([
      functions.start('functions/order-service'),
      functions.start('worker'),
      functions.start('functions/order-service', 'handlers.orderOutcomes'),
      functions.start('functions/notification-service', 'handlers.deliveries'),
      functions.start('functions/notification-service'),
    ]);
    const posted = await api.invoke(httpEvent('POST', '/orders', order));
    expect(posted).toMatchObject({ statusCode: 202 });
    const { orderId } = JSON.parse(String(posted['body'])) as { orderId: string };
    await expect(functions.sourceOf('orders', worker).invoke(1)).resolves.toEqual({ received: 1, failed: 0 });
    await expect(functions.sourceOf('order-outcomes', outcomes).invoke(2)).resolves.toEqual({
      received: 2,
      failed: 0,
    });
    await expect(functions.sourceOf('notifications', deliveries).invoke(1)).resolves.toEqual({
      received: 1,
      failed: 0,
    });
    const seen = bodyOf(await api.invoke(httpEvent('GET', `/orders/${orderId}`)));
    expect(seen).toMatchObject({
      orderId,
      status: 'completed',
      notification: { notificationId: expect.any(String) },
    });
    const { notificationId } = seen['notification'] as { notificationId: string };
    const sent = await notifications.invoke(httpEvent('GET', `/notifications/${notificationId}`));
    expect(bodyOf(sent)).toMatchObject({ notificationId, status: 'delivered' });
  });
});

function bodyOf(answer: Record<string, unknown>): Record<string, unknown> {
  return JSON.parse(String(answer['body'])) as Record<string, unknown>;
}

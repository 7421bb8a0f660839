import { describe, expect, test } from '@jest/globals';
import { notificationSchema } from '../contracts/notifications.ts';
import { orderSchema } from '../contracts/orders.ts';

const order = {
  orderId: '0190c8b2-0000-7000-8000-000000000000',
  customerId: 'c-1',
  customerEmail: 'customer@example.com',
  items: [{ productId: 'p-1', quantity: 1 }],
  totalAmount: 1,
  currency: 'EUR',
};

describe('an order', () => {
  test('has priority NORMAL by default', () => {
    expect(orderSchema.parse(order)).toEqual({ ...order, priority: 'NORMAL' });
  });

  test.each([
    ['at its smallest', {}],
    [
      'with 100 items at their largest',
      { items: Array.from({ length: 100 }, () => ({ productId: 'p'.repeat(64), quantity: 10_000 })) },
    ],
    ['of each priority', { priority: 'HIGH' }],
    ['in yen', { currency: 'JPY' }],
  ])('%s is accepted', (_what, change) => {
    expect(orderSchema.safeParse({ ...order, ...change }).success).toBe(true);
  });

  test.each([
    ['an id that is not a uuid', { orderId: 'o-1' }, 'orderId'],
    ['no customer', { customerId: '' }, 'customerId'],
    ['a customer id too long', { customerId: 'c'.repeat(256) }, 'customerId'],
    ['no mail address', { customerEmail: 'customer' }, 'customerEmail'],
    ['no items', { items: [] }, 'items'],
    ['101 items', { items: Array.from({ length: 101 }, () => ({ productId: 'p', quantity: 1 })) }, 'items'],
    ['no product', { items: [{ productId: '', quantity: 1 }] }, 'items.0.productId'],
    ['a product id too long', { items: [{ productId: 'p'.repeat(65), quantity: 1 }] }, 'items.0.productId'],
    ['quantity 0', { items: [{ productId: 'p', quantity: 0 }] }, 'items.0.quantity'],
    ['quantity 10,001', { items: [{ productId: 'p', quantity: 10_001 }] }, 'items.0.quantity'],
    ['half a quantity', { items: [{ productId: 'p', quantity: 1.5 }] }, 'items.0.quantity'],
    ['no amount', { totalAmount: 0 }, 'totalAmount'],
    ['a fraction of a cent', { totalAmount: 0.5 }, 'totalAmount'],
    ['an amount above 2^53', { totalAmount: 2 ** 53 }, 'totalAmount'],
    ['an unknown currency', { currency: 'ZZZ' }, 'currency'],
    ['a currency in lower case', { currency: 'eur' }, 'currency'],
    ['an unknown priority', { priority: 'URGENT' }, 'priority'],
  ])('with %s is refused at its path', (_what, change, path) => {
    const { error } = orderSchema.safeParse({ ...order, ...change });
    expect(error?.issues.map((issue) => issue.path.join('.'))).toContain(path);
  });
});

describe('a notification', () => {
  const mail = { channel: 'EMAIL', recipient: 'customer@example.com', subject: 'Hello', message: 'World' };

  test.each([
    ['a mail', mail],
    ['a mail at its longest', { ...mail, subject: 's'.repeat(200), message: 'm'.repeat(10_000) }],
    ['a text message without a subject', { channel: 'SMS', recipient: '+49 30 901820', message: 'World' }],
    ['a push message', { channel: 'PUSH', recipient: 'device-1', message: 'World' }],
  ])('%s is accepted', (_what, notification) => {
    expect(notificationSchema.safeParse(notification).success).toBe(true);
  });

  test.each([
    ['a mail without a subject', { ...mail, subject: undefined }, 'subject'],
    ['a mail with an empty subject', { ...mail, subject: '' }, 'subject'],
    ['a subject too long', { ...mail, subject: 's'.repeat(201) }, 'subject'],
    ['a mail to nobody', { ...mail, recipient: '' }, 'recipient'],
    ['an empty message', { ...mail, message: '' }, 'message'],
    ['a message too long', { ...mail, message: 'm'.repeat(10_001) }, 'message'],
    ['a text message to nobody', { channel: 'SMS', recipient: '', message: 'World' }, 'recipient'],
    ['an unknown channel', { ...mail, channel: 'FAX' }, 'channel'],
  ])('%s is refused at its path', (_what, notification, path) => {
    const { error } = notificationSchema.safeParse(notification);
    expect(error?.issues.map((issue) => issue.path.join('.'))).toContain(path);
  });
});

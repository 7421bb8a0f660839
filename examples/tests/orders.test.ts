import { expect, test } from '@jest/globals';
import { readOrders } from '../demo/orders.ts';

const customerOf = (body: string | undefined): string =>
  (JSON.parse(body ?? '') as { readonly customerId: string }).customerId;

test('the orders of the demo start again after the last one, with other customers', () => {
  const orders = readOrders(101);
  const again = customerOf(orders[100]);
  expect(again).toBe(`${customerOf(orders[0])}-1`);
  expect(orders.slice(0, 100).map(customerOf)).not.toContain(again);
  expect(orders[100]).toBe(orders[0]?.replace(customerOf(orders[0]), again));
});

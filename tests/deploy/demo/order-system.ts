import { MAX_UNITS_PER_ORDER } from '@baton/common/tasks/process-order';
import { type Answer, System } from '../system.ts';

/** More units than the task of an order accepts. */
export const TOO_MANY_UNITS = MAX_UNITS_PER_ORDER + 1;
const UNITS_PER_ITEM = 10_000;

const order = {
  customerId: 'c-1',
  customerEmail: 'customer@example.com',
  totalAmount: 4200,
  currency: 'EUR',
};

/** Uses the deployed system as a customer does. */
export class OrderSystem extends System {
  /** Posts an order of that many units. */
  postOrder(
    units = 2,
    headers: Readonly<Record<string, string>> = {},
    priority: 'LOW' | 'NORMAL' | 'HIGH' = 'NORMAL',
  ): Promise<Answer> {
    const count = Math.ceil(units / UNITS_PER_ITEM);
    const items = Array.from({ length: count }, (_, index) => ({
      productId: `p-${index}`,
      quantity: Math.min(UNITS_PER_ITEM, units - index * UNITS_PER_ITEM),
    }));
    return this.ask('POST', '/orders', { ...order, items, priority }, headers);
  }
}

import { readFileSync } from 'node:fs';

/** The most orders that one demo posts. */
export const MAX_ORDERS = 10_000;

/** The orders of orders.jsonl as request bodies. After the last line it starts again, with other customers. */
export function readOrders(count: number): string[] {
  const lines = readFileSync(new URL('orders.jsonl', import.meta.url), 'utf8')
    .trim()
    .split('\n');
  return Array.from({ length: count }, (_, index) => {
    const order = JSON.parse(lines[index % lines.length] ?? '') as { customerId: string };
    const round = Math.floor(index / lines.length);
    return JSON.stringify(round === 0 ? order : { ...order, customerId: `${order.customerId}-${round}` });
  });
}

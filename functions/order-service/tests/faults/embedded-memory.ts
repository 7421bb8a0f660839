// Measures the memory that the embedded runtime keeps for each order: `node functions/order-service/tests/faults/embedded-memory.ts [--orders 10000]`
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { eventually } from 'baton-dev/testing/eventually';
import { freePorts, Program } from 'baton-dev/testing/program';

const SERVERLESS = 'node_modules/serverless/bin/serverless.js';
/** The process's memory varies by this much from one moment to the next. It must keep nothing of an order. */
const NOISE_BYTES = 5_000_000;
const AT_ONCE = 10;
const DONE_MS = 60_000;
const LOOKS = 10;
const LOOK_MS = 500;
const ORDER = JSON.stringify({
  customerId: 'c-1',
  customerEmail: 'customer@example.com',
  items: [{ productId: 'p-1', quantity: 2 }],
  totalAmount: 4200,
  currency: 'EUR',
});

const { values } = parseArgs({ options: { orders: { type: 'string', default: '10000' } } });
const orders = Number(values.orders);
const ports = await freePorts();
const url = `http://127.0.0.1:${ports['HTTP_PORT']}`;
const runtime = new Program(
  SERVERLESS,
  {
    ...ports,
    LOG_LEVEL: 'error',
    NODE_OPTIONS: '--expose-gc --import=./tests/support/memory-lines.js',
  },
  ['offline'],
);
await runtime.says('Try this');
// Memory that a process takes once, for its first orders, is no growth
const first = Math.ceil(orders / 4);
await post(first, 0);
const before = await kept();
await post(orders - first, first);
const after = await kept();
await runtime.stop();

const bytes = after - before;
const each = Math.round(bytes / (orders - first));
process.stdout.write(`orders ${orders}\nkept ${bytes} bytes more, ${each} of each order\n`);
process.exitCode = bytes <= NOISE_BYTES ? 0 : 1;

/** Posts that many orders, some at a time, and waits until the last are completed. */
async function post(count: number, doneBefore: number): Promise<void> {
  let left = count;
  const lane = async (): Promise<void> => {
    let location = '';
    while (left > 0) {
      left -= 1;
      tellProgress(doneBefore + count - left);
      const answer = await fetch(`${url}/orders`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: ORDER,
      });
      const text = await answer.text();
      if (answer.status !== 202) throw new Error(`The order was answered with ${answer.status}: ${text}`);
      location = answer.headers.get('location') ?? '';
    }
    const isCompleted = async (): Promise<boolean> =>
      ((await (await fetch(url + location)).json()) as { status: string }).status === 'completed';
    if (location !== '') await eventually(`${location} completed`, isCompleted, DONE_MS);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
}

/** Writes a line for each tenth of the orders. */
function tellProgress(posted: number): void {
  if (posted % Math.ceil(orders / 10) === 0) process.stderr.write(`${posted} of ${orders} posted\n`);
}

/** The memory of the idle runtime in bytes: the least of some measurements, because it is not idle at every moment. */
async function kept(): Promise<number> {
  const looks: number[] = [];
  while (looks.length < LOOKS) {
    looks.push(await keptNow());
    await sleep(LOOK_MS);
  }
  return Math.min(...looks);
}

async function keptNow(): Promise<number> {
  const said = (): string[] => runtime.output.match(/^kept \d+ bytes$/gm) ?? [];
  const saidBefore = said().length;
  runtime.signal('SIGUSR2');
  const line = await eventually('what is kept', () => said()[saidBefore]);
  return Number(/\d+/.exec(line)?.[0]);
}

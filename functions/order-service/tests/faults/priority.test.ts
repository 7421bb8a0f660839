import { afterEach, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { eventually } from 'baton-dev/testing/eventually';
import { freePorts, Program } from 'baton-dev/testing/program';

let runtime: Program | undefined;
afterEach(() => runtime?.stop('SIGKILL'));

test('the embedded runtime processes a HIGH order before the NORMAL ones that came before it', async () => {
  const ports = await freePorts();
  const stage = `test-${randomBytes(4).toString('hex')}`;
  runtime = new Program('node_modules/serverless/bin/serverless.js', { ...ports, WORKER_CONCURRENCY: '1' }, [
    'offline',
    '--stage',
    stage,
  ]);
  await runtime.says('Try this');
  const url = `http://127.0.0.1:${ports['HTTP_PORT']}`;
  const post = async (priority: 'HIGH' | 'NORMAL'): Promise<string> => {
    const body = JSON.stringify({
      customerId: 'c-1',
      customerEmail: 'customer@example.com',
      items: [{ productId: 'p-1', quantity: 2 }],
      totalAmount: 4200,
      currency: 'EUR',
      priority,
    });
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body };
    return url + String((await fetch(`${url}/orders`, init)).headers.get('location'));
  };
  const statusAt = async (location: string): Promise<unknown> =>
    ((await (await fetch(location)).json()) as { status: unknown }).status;
  const normal = await Promise.all(Array.from({ length: 60 }, () => post('NORMAL')));
  const high = await post('HIGH');
  await eventually('the HIGH order completed', async () => (await statusAt(high)) === 'completed', 20_000);
  const waiting = (await Promise.all(normal.map(statusAt))).filter((status) => status === 'accepted');
  expect(waiting.length).toBeGreaterThan(10);
});

import { expect, test } from '@jest/globals';
import { Program } from 'baton-dev/testing/program';

test('npm start keeps nothing of an order in memory: 400 orders', async () => {
  const measure = new Program('functions/order-service/tests/faults/embedded-memory.ts', {}, [
    '--orders',
    '400',
  ]);
  const status = await measure.ended();
  expect(measure.output).toMatch(/^kept -?\d+ bytes more, -?\d+ of each order$/m);
  expect({ status, output: measure.output }).toMatchObject({ status: 0 });
}, 120_000);

import { expect, test } from '@jest/globals';
import { Program } from '../support/program.ts';

test('npm start keeps no more of an order than its rows: 400 orders', async () => {
  const measure = new Program('tests/faults/embedded-memory.ts', {}, ['--orders', '400']);
  const status = await measure.ended();
  expect(measure.output).toMatch(/^kept of each -?\d+ bytes$/m);
  expect({ status, output: measure.output }).toMatchObject({ status: 0 });
}, 120_000);

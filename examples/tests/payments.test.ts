import { randomUUID } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { ConfigError, parseConfig } from 'baton-tasks/service';
import { runTask } from 'baton-tasks/testing';
import { chargePaymentTask, provider, variables } from '../payments.ts';

const paymentId = randomUUID();

test.each([
  ['of version 1', 12.5],
  ['of version 2', { minorUnits: 1250, currency: 'EUR' }],
])('a payment %s is charged', async (_version, amount) => {
  const { effects, outcome } = await runTask(chargePaymentTask, { paymentId, amount });
  expect(effects).toMatchObject({ charge: { minorUnits: 1250, currency: 'EUR' } });
  expect(outcome.kind).toBe('done');
});

test('an attempt whose charge is in doubt asks the provider, and charges nothing again', async () => {
  const taskId = randomUUID();
  const { receipt } = await provider.charge(`${taskId}:charge`, { minorUnits: 1250, currency: 'EUR' });
  const options = { taskId, attempt: 2, effectsInDoubt: ['charge'] };
  const { result } = await runTask(chargePaymentTask, { paymentId, amount: 99 }, options);
  expect(result).toEqual({ receipt });
});

test('a variable that is missing or wrong is named, with what is expected', () => {
  const environment = { PAYMENTS_TABLE: 'payments', PROVIDER_MODE: 'tset', PROVIDER_TIMEOUT_SECONDS: '0' };
  const read = () => parseConfig(variables, environment);
  expect(read).toThrow(ConfigError);
  expect(read).toThrow('PROVIDER_URL is not set: expected the URL of the payment provider');
  expect(read).toThrow('PROVIDER_MODE held "tset": expected one of test, live');
  expect(read).toThrow('PROVIDER_TIMEOUT_SECONDS held "0": expected a whole number from 1 to 60');
});

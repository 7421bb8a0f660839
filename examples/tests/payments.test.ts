import { randomUUID } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { ConfigError, parseConfig } from 'baton-tasks/service';
import { runTask } from 'baton-tasks/testing';
import {
  capturePaymentTask,
  chargePaymentTask,
  provider,
  refundPaymentTask,
  variables,
} from '../payments.ts';

const paymentId = randomUUID();

test.each([
  ['of version 1', 12.5],
  ['of version 2', { minorUnits: 1250, currency: 'EUR' }],
])('a payment %s is charged', async (_version, amount) => {
  const { effects, outcome } = await runTask(chargePaymentTask, { paymentId, amount });
  expect(effects).toMatchObject({ charge: { minorUnits: 1250, currency: 'EUR' } });
  expect(outcome.kind).toBe('done');
});

test('a new required property: a message of version 1 is in euros, one of version 2 has its currency', async () => {
  const old = { paymentId, cents: 1250 };
  const current = { ...old, currency: 'USD' };
  const runs = [
    await runTask(capturePaymentTask, old),
    await runTask(capturePaymentTask, current),
    await runTask(refundPaymentTask, old),
    await runTask(refundPaymentTask, current),
  ];
  expect(runs.map(({ result }) => result)).toEqual([
    { captured: '1250 EUR' },
    { captured: '1250 USD' },
    { refunded: '1250 EUR' },
    { refunded: '1250 USD' },
  ]);
});

test('a new required property: a wrong one is refused, and does not pass as version 1', async () => {
  const wrong = { paymentId, cents: 1250, currency: 'dollars' };
  const outcome = { kind: 'dead-letter', reason: 'invalid-payload' };
  await expect(runTask(capturePaymentTask, wrong)).resolves.toMatchObject({ outcome });
  await expect(runTask(refundPaymentTask, wrong)).resolves.toMatchObject({ outcome });
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

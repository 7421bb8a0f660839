import { randomUUID } from 'node:crypto';
import { defineTask, implement } from 'baton-tasks';
import { oneOf, text, wholeNumber } from 'baton-tasks/service';
import * as z from 'zod';

/** A service's own environment variables. */
export const variables = z.object({
  PAYMENTS_TABLE: text("the name of this service's table"),
  PROVIDER_URL: text('the URL of the payment provider'),
  PROVIDER_MODE: oneOf(['test', 'live'], 'test'),
  PROVIDER_TIMEOUT_SECONDS: wholeNumber(1, 60, 10),
});

const moneySchema = z.object({ minorUnits: z.int(), currency: z.string().length(3) });
type Money = z.output<typeof moneySchema>;

/** Charge a payment. In version 1 the amount was a number of euros. */
export const chargePayment = defineTask({
  name: 'payments.charge',
  version: 2,
  queue: 'payments',
  payload: z.object({ paymentId: z.uuid(), amount: z.union([moneySchema, z.number()]) }),
  result: z.object({ receipt: z.string() }),
  retry: { maxAttempts: 8, baseSeconds: 5 },
  timeoutSeconds: 20,
  tracked: true,
});

type Charge = Money & { readonly receipt: string };

const charges = new Map<string, Charge>();

/** Stands for a payment provider, which charges once for each idempotency key. */
export const provider = {
  async charge(idempotencyKey: string, money: Money): Promise<Charge> {
    const charge = charges.get(idempotencyKey) ?? { receipt: randomUUID(), ...money };
    charges.set(idempotencyKey, charge);
    return charge;
  },
  async find(idempotencyKey: string): Promise<Charge | undefined> {
    return charges.get(idempotencyKey);
  },
};

/** Charges a payment. */
export const chargePaymentTask = implement(chargePayment, async ({ amount }, { effect }) => {
  const money = moneyOf(amount);
  const { receipt } = await effect('charge', (idempotencyKey) => provider.charge(idempotencyKey, money), {
    inDoubt: async (idempotencyKey) => {
      const result = await provider.find(idempotencyKey);
      return result && { result };
    },
  });
  return { receipt };
});

function moneyOf(amount: Money | number): Money {
  return typeof amount === 'number' ? { minorUnits: Math.round(amount * 100), currency: 'EUR' } : amount;
}

/** Capture a payment that was authorized. In version 1 the currency was always EUR. */
export const capturePayment = defineTask({
  name: 'payments.capture',
  version: 2,
  queue: 'payments',
  payload: z.object({ paymentId: z.uuid(), cents: z.int(), currency: z.string().length(3).optional() }),
  result: z.object({ captured: z.string() }),
  retry: { maxAttempts: 8, baseSeconds: 5 },
  timeoutSeconds: 20,
});

/** Captures a payment. */
export const capturePaymentTask = implement(capturePayment, async ({ cents, currency = 'EUR' }) => ({
  captured: `${cents} ${currency}`,
}));

const oldRefund = z.object({ paymentId: z.uuid(), cents: z.int() });
const newRefund = oldRefund.extend({ currency: z.string().length(3) });

/** Refund a payment. In version 1 the currency was always EUR. */
export const refundPayment = defineTask({
  name: 'payments.refund',
  version: 2,
  queue: 'payments',
  payload: z.union([newRefund, oldRefund.extend({ currency: z.never().optional() })]),
  result: z.object({ refunded: z.string() }),
  retry: { maxAttempts: 8, baseSeconds: 5 },
  timeoutSeconds: 20,
});

/** Refunds a payment. */
export const refundPaymentTask = implement(refundPayment, async ({ cents, currency = 'EUR' }) => ({
  refunded: `${cents} ${currency}`,
}));

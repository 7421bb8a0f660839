import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { processOrder } from '@baton/common/contracts/orders';
import { implement, Implementations } from '@baton/common/queue/implementation';
import { defineTask } from '@baton/common/queue/task';
import type { SendTask } from '@baton/common/queue/task-client';

const greet = defineTask({
  name: 'greetings.greet',
  queue: 'default',
  payload: z.object({ name: z.string() }),
  result: z.object({ greeting: z.string() }),
  retry: { maxAttempts: 3, baseSeconds: 1 },
  timeoutSeconds: 5,
});

describe('the compiler (this file is part of "npm run types", where an unused expectation is an error)', () => {
  test('refuses to send a wrong payload', () => {
    const sends = (send: SendTask) => [
      () => send(greet, { name: 'you' }),
      // @ts-expect-error the name is a string
      () => send(greet, { name: 7 }),
      // @ts-expect-error there has to be a name
      () => send(greet, {}),
      // @ts-expect-error an order has items
      () => send(processOrder, { orderId: 'x' }),
      // @ts-expect-error delaySeconds is a number
      () => send(greet, { name: 'you' }, { delaySeconds: 'soon' }),
    ];
    expect(sends).toBeDefined();
  });

  test('refuses to implement a wrong result or to read what the payload does not have', () => {
    const implementations = () => [
      implement(greet, ({ name }) => ({ greeting: `Hello ${name}` })),
      // @ts-expect-error the result has a greeting
      implement(greet, () => ({ hello: 'you' })),
      // @ts-expect-error the greeting is a string
      implement(greet, async () => ({ greeting: 7 })),
      // @ts-expect-error the payload has no surname
      implement(greet, ({ surname }) => ({ greeting: String(surname) })),
    ];
    expect(implementations).toBeDefined();
  });
});

describe('defineTask', () => {
  test.each([
    ['a name without a domain', { name: 'greet' }, 'domain.verb'],
    ['a queue name that SQS would refuse', { queue: 'Über' }, 'lower-case'],
    ['no attempts', { retry: { maxAttempts: 0, baseSeconds: 1 } }, 'maxAttempts'],
    ['a time limit beyond 12 h', { timeoutSeconds: 43_201 }, 'timeoutSeconds'],
    ['an isolation that no worker has', { isolation: 'process' as 'thread' }, 'isolation'],
  ])('refuses %s, at import, naming the contract', (_what, wrong, says) => {
    const define = (): unknown => defineTask({ ...greet, ...wrong });
    expect(define).toThrow(says);
    expect(define).toThrow(/Contract "/);
  });
});

test('two implementations of one task are refused', () => {
  const once = implement(greet, () => ({ greeting: 'Hello' }));
  expect(() => new Implementations([once, once])).toThrow('More than one implementation of greetings.greet');
});

import { describe, expect, test } from '@jest/globals';
import * as z from 'zod';
import { PostponeTask, RetryTask } from '../../task/errors.ts';
import { implement, Implementations } from '../../task/implementation.ts';
import { defineTask } from '../../task/task.ts';
import { chain, group, member } from '../../task/flow.ts';
import type { SendTask } from '../../task/send-task.ts';
import type { TaskClient } from '../task-client.ts';

const greet = defineTask({
  name: 'greetings.greet',
  queue: 'default',
  payload: z.object({ name: z.string() }),
  result: z.object({ greeting: z.string() }),
  retry: { maxAttempts: 3, baseSeconds: 1 },
  timeoutSeconds: 5,
});

const fill = defineTask({
  ...greet,
  name: 'baskets.fill',
  payload: z.object({ basketId: z.string(), items: z.array(z.object({ quantity: z.int() })).min(1) }),
  tracked: true,
});

const shout = defineTask({
  ...greet,
  name: 'greetings.shout',
  payload: z.object({ greeting: z.string() }),
  result: z.object({ loudness: z.int() }),
  tracked: true,
});
const greetTracked = defineTask({ ...greet, name: 'greetings.greet-tracked', tracked: true });
const loudest = defineTask({
  ...shout,
  name: 'greetings.loudest',
  payload: z.array(shout.result),
  result: z.object({ loudest: z.int() }),
});

describe('the compiler (this file is part of "npm run types", where an unused expectation is an error)', () => {
  test('refuses to send a wrong payload', () => {
    const sends = (send: SendTask) => [
      () => send(greet, { name: 'you' }),
      // @ts-expect-error the name is a string
      () => send(greet, { name: 7 }),
      // @ts-expect-error there has to be a name
      () => send(greet, {}),
      // @ts-expect-error a basket has items
      () => send(fill, { basketId: 'x' }),
      // @ts-expect-error delaySeconds is a number
      () => send(greet, { name: 'you' }, { delaySeconds: 'soon' }),
    ];
    expect(sends).toBeDefined();
  });

  test('refuses two rests at once, and a postponement without one', () => {
    const errors = () => [
      new RetryTask('later'),
      new RetryTask('later', { until: new Date() }),
      new RetryTask('later', { retryAfter: new Headers().get('retry-after') }),
      new PostponeTask('not now', { retryAfter: undefined }),
      // @ts-expect-error a rest is given once
      new RetryTask('later', { delaySeconds: 1, until: new Date() }),
      // @ts-expect-error a rest is given once
      new PostponeTask('not now', { until: new Date(), retryAfter: '1' }),
      // @ts-expect-error a postponement has a rest
      new PostponeTask('not now', {}),
      // @ts-expect-error a Retry-After is a text
      new RetryTask('later', { retryAfter: 1 }),
    ];
    expect(errors).toBeDefined();
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

describe('the compiler, of flows,', () => {
  test('refuses a step whose payload is not the result of the one before', () => {
    const chains = () => [
      chain([greetTracked, shout]),
      // @ts-expect-error the payload of greet is no result of shout
      chain([shout, greetTracked]),
      // @ts-expect-error the third step takes what greet gives, not what shout does
      chain([greetTracked, shout, shout]),
      // @ts-expect-error a chain has two steps at least
      () => chain([greetTracked]),
      // @ts-expect-error only tracked tasks make a chain
      chain([greet, shout]),
    ];
    expect(chains).toBeDefined();
  });

  test('refuses what does not fit the members of a group or what takes their results', () => {
    const groups = () => [
      group([member(shout, { greeting: 'a' }), member(shout, { greeting: 'b' })], loudest),
      // @ts-expect-error greet takes no list
      group([member(shout, { greeting: 'a' })], greetTracked),
      // @ts-expect-error the members give greetings, not loudness
      group([member(greetTracked, { name: 'you' })], loudest),
      // @ts-expect-error the greeting is a string
      member(shout, { greeting: 7 }),
      // @ts-expect-error only tracked tasks are members
      member(greet, { name: 'you' }),
    ];
    expect(groups).toBeDefined();
  });

  test('knows what goes into a flow and what comes out', () => {
    const starts = (tasks: TaskClient) => [
      async (): Promise<number> =>
        (await (await tasks.start(chain([greetTracked, shout]), { name: 'you' })).result()).loudness,
      async (): Promise<number> =>
        (await (await tasks.start(group([member(shout, { greeting: 'a' })], loudest))).result()).loudest,
      // @ts-expect-error the first step takes a name
      () => tasks.start(chain([greetTracked, shout]), { greeting: 'a' }),
      async () => {
        const handle = await tasks.start(chain([greetTracked, shout]), { name: 'you' });
        // @ts-expect-error the last step gives no greeting
        return (await handle.result()).greeting;
      },
      // @ts-expect-error an untracked task has no result to wait for
      async () => (await tasks.send(greet, { name: 'you' })).result(),
    ];
    expect(starts).toBeDefined();
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
    expect(define).toThrow(/Invalid contract "/);
  });
});

test('two implementations of one task are refused', () => {
  const once = implement(greet, () => ({ greeting: 'Hello' }));
  expect(() => new Implementations([once, once])).toThrow('More than one implementation of greetings.greet');
});

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
      // @ts-expect-error the name is required
      () => send(greet, {}),
      // @ts-expect-error the items are required
      () => send(fill, { basketId: 'x' }),
      // @ts-expect-error delaySeconds is a number
      () => send(greet, { name: 'you' }, { delaySeconds: 'soon' }),
    ];
    expect(sends).toBeDefined();
  });

  test('refuses two rests at once, and a postponement without a rest', () => {
    const errors = () => [
      new RetryTask('later'),
      new RetryTask('later', { until: new Date() }),
      new RetryTask('later', { retryAfter: new Headers().get('retry-after') }),
      new PostponeTask('not now', { retryAfter: undefined }),
      // @ts-expect-error a rest has only one of its members
      new RetryTask('later', { delaySeconds: 1, until: new Date() }),
      // @ts-expect-error a rest has only one of its members
      new PostponeTask('not now', { until: new Date(), retryAfter: '1' }),
      // @ts-expect-error a postponement needs a rest
      new PostponeTask('not now', {}),
      // @ts-expect-error a Retry-After is a text
      new RetryTask('later', { retryAfter: 1 }),
    ];
    expect(errors).toBeDefined();
  });

  test('refuses a handler with a wrong result, or one that reads a member that the payload does not have', () => {
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

describe('the compiler, for flows,', () => {
  test('refuses a step whose payload is not the result of the step before it', () => {
    const chains = () => [
      chain([greetTracked, shout]),
      // @ts-expect-error the payload of greet is not the result of shout
      chain([shout, greetTracked]),
      // @ts-expect-error the third step takes the result of greet, not the result of shout
      chain([greetTracked, shout, shout]),
      // @ts-expect-error a chain has at least two steps
      () => chain([greetTracked]),
      // @ts-expect-error the steps of a chain are tracked
      chain([greet, shout]),
    ];
    expect(chains).toBeDefined();
  });

  test('refuses wrong payloads of the members of a group, and a task that cannot take their results', () => {
    const groups = () => [
      group([member(shout, { greeting: 'a' }), member(shout, { greeting: 'b' })], loudest),
      // @ts-expect-error greet does not take a list
      group([member(shout, { greeting: 'a' })], greetTracked),
      // @ts-expect-error the members return greetings, not loudness
      group([member(greetTracked, { name: 'you' })], loudest),
      // @ts-expect-error the greeting is a string
      member(shout, { greeting: 7 }),
      // @ts-expect-error the members of a group are tracked
      member(greet, { name: 'you' }),
    ];
    expect(groups).toBeDefined();
  });

  test('knows the payload and the result of a flow', () => {
    const starts = (tasks: TaskClient) => [
      async (): Promise<number> =>
        (await (await tasks.start(chain([greetTracked, shout]), { name: 'you' })).result()).loudness,
      async (): Promise<number> =>
        (await (await tasks.start(group([member(shout, { greeting: 'a' })], loudest))).result()).loudest,
      // @ts-expect-error the first step takes a name
      () => tasks.start(chain([greetTracked, shout]), { greeting: 'a' }),
      async () => {
        const handle = await tasks.start(chain([greetTracked, shout]), { name: 'you' });
        // @ts-expect-error the last step does not return a greeting
        return (await handle.result()).greeting;
      },
      // @ts-expect-error nobody can wait for the result of an untracked task
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
  ])('refuses %s, and names the contract', (_what, wrong, says) => {
    const define = (): unknown => defineTask({ ...greet, ...wrong });
    expect(define).toThrow(says);
    expect(define).toThrow(/Invalid contract "/);
  });
});

test('a second implementation of the same task is refused', () => {
  const once = implement(greet, () => ({ greeting: 'Hello' }));
  expect(() => new Implementations([once, once])).toThrow('More than one implementation of greetings.greet');
});

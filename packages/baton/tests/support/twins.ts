import { threadId } from 'node:worker_threads';
import { setTimeout as sleep } from 'node:timers/promises';
import { defineTask, implement, RetryTask, type TrackedTaskContext } from 'baton-tasks';
import { Implementations } from 'baton-tasks/tooling';
import * as z from 'zod';

const common = {
  queue: 'default',
  payload: z.object({ how: z.string(), what: z.string().optional() }),
  result: z.unknown(),
  retry: { maxAttempts: 2, baseSeconds: 1, capSeconds: 1 },
  timeoutSeconds: 20,
  tracked: true,
} as const;

/** A task that ends in the way that `how` names, on its worker's event loop. */
export const here = defineTask({ ...common, name: 'tests.twin' });

/** The same task in a thread. */
export const inThread = defineTask({ ...common, name: 'tests.twin', isolation: 'thread' });

/** The same task in a thread, with a short time limit. */
export const inThreadBriefly = defineTask({
  ...common,
  name: 'tests.brief-twin',
  isolation: 'thread',
  timeoutSeconds: 2,
});

class Money {
  readonly #cents = 500;
  toJSON(): object {
    return { cents: this.#cents };
  }
}

class Point {
  readonly x = 1;
  get y(): number {
    return 2;
  }
  toJSON(): object {
    return { x: this.x, y: this.y };
  }
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({ a: 1 }, {});
  revoke();
  return { proxy };
}

function circle(): object {
  const round: Record<string, unknown> = {};
  round['round'] = round;
  return round;
}

const fails = (): never => {
  throw new TypeError('unreadable');
};

/** Results of effects and handlers. */
export const gives: Readonly<Record<string, () => unknown>> = {
  'plain data': () => ({ text: 'a', list: [1, null, { deep: true }] }),
  nothing: () => undefined,
  null: () => null,
  'a member that is undefined': () => ({ a: undefined, b: 1 }),
  'a function': () => () => 1,
  'a member function': () => ({ receipt: 'r', refund: () => 1 }),
  'a Response': () => new Response('{}'),
  'a URL': () => new URL('http://a.test/b'),
  'toJSON over a private field': () => new Money(),
  'toJSON over a getter': () => ({ at: new Point() }),
  'toJSON that throws': () => ({ toJSON: fails }),
  'a Buffer': () => Buffer.from('ab'),
  'a Date': () => new Date(0),
  'an invalid Date': () => ({ at: new Date(NaN) }),
  'a bigint': () => ({ id: 5n }),
  'a Map': () => new Map([[1, 2]]),
  'a symbol member': () => ({ s: Symbol('s') }),
  'a Proxy': () => new Proxy({ a: 1 }, {}),
  'a revoked Proxy': revoked,
  'a getter that throws': () => Object.defineProperty({}, 'a', { enumerable: true, get: fails }),
  'a promise member': () => ({ later: Promise.resolve(1) }),
  Headers: () => ({ headers: new Headers({ a: 'b' }) }),
  'a WeakMap': () => new WeakMap(),
  'an AbortSignal': () => new AbortController().signal,
  'an Error': () => new Error('e'),
  NaN: () => [NaN, -0, Infinity],
  'a circle': circle,
  'more than is kept': () => 'x'.repeat(5000),
  'half a surrogate': () => '\ud800',
  __proto__: () => JSON.parse('{"__proto__":{"a":1}}') as unknown,
  'very deep': () => JSON.parse('['.repeat(900) + ']'.repeat(900)) as unknown,
};

/** Values that handlers pass to `progress`. */
export const progresses: Readonly<Record<string, unknown>> = {
  good: { fraction: 0.5, message: 'half' },
  'beyond 1': { fraction: 7, message: 'x'.repeat(300) },
  'a message that is a number': { fraction: 0.5, message: 5 },
  'a message that is null': { fraction: 0.5, message: null },
  'a message that is a function': { fraction: 0.5, message: () => 1 },
  'a fraction that is a text': { fraction: 'half' },
  'a fraction that is a symbol': { fraction: Symbol('half') },
  null: null,
  nothing: undefined,
  'a number': 5,
};

/** Invalid keys of effects. */
export const keys: Readonly<Record<string, unknown>> = {
  'two words': 'a b',
  empty: '',
  'too long': 'a'.repeat(65),
  'a symbol': Symbol('a'),
  'a function': () => 1,
  'a number': 5,
  null: null,
  __proto__: '__proto__',
};

// oxlint-disable-next-line typescript/unbound-method -- some modules keep it like this
const reallyExit = (process as unknown as { readonly reallyExit: (code: number) => never }).reallyExit;
let outsideOfTasks: (() => void) | undefined;
// Starts before all handlers, so that it belongs to no task
setInterval(() => {
  const happens = outsideOfTasks;
  outsideOfTasks = undefined;
  happens?.();
}, 10).unref();

const late = (how: () => unknown): object => {
  setTimeout(how, 100);
  return { threadId };
};

type Way = (context: TrackedTaskContext, what: string) => unknown;

const ways: Readonly<Record<string, Way>> = {
  'gives an effect': async ({ effect, logger }, what) => ({
    got: await effect('pay', () => {
      logger.info('paid');
      return gives[what]?.();
    }),
  }),
  'gives a result': (_context, what) => gives[what]?.(),
  'says its progress': async ({ progress }, what) => {
    progress(progresses[what] as never);
    await sleep(30);
    return {};
  },
  'uses a key': ({ effect }, what) => effect(keys[what] as never, () => 1),
  'asks for a rest': (_context, what) => {
    throw new RetryTask('later', { retryAfter: what });
  },
  'fails beside an effect': ({ effect, logger }) =>
    Promise.all([
      effect('pay', async () => {
        logger.info('paying');
        await sleep(400);
        return 'receipt';
      }),
      effect('mail', async () => {
        await sleep(50);
        throw new Error('451');
      }),
    ]),
  'has a slow effect': async ({ effect, logger }) => {
    await effect('pay', async () => {
      logger.info('paying');
      await sleep(4000);
      return 'receipt';
    });
    for (;;);
  },
  'leaves an effect for ever': ({ effect }) => {
    void effect('pay', () => new Promise(() => undefined));
    throw new Error('451');
  },
  'uses an effect that is over': ({ effect, send, logger }) => {
    setTimeout(() => {
      const outcomes = [effect('late', () => 1), send(here, { how: '' })];
      for (const each of outcomes)
        each.then(fails, (error: Error) => logger.info({ over: error.name, why: error.cause }, 'refused'));
    }, 100);
    return {};
  },
  burns: () => {
    const untilMs = performance.now() + 1500;
    while (performance.now() < untilMs);
    return { threadId };
  },
  rests: async () => {
    await sleep(600);
    return { threadId };
  },
  'leaves a throw': () => late(fails),
  'leaves a rejection': () => late(() => void Promise.reject(new TypeError('unreadable'))),
  'leaves an exit': () => late(() => process.exit(4)),
  'leaves a deadly exit': () => late(() => reallyExit(4)),
  'throws where nobody waits': () => {
    setTimeout(fails, 10);
    return new Promise(() => undefined);
  },
  'leaves a rejection as it returns': () => {
    void Promise.reject(new TypeError('unreadable'));
    return {};
  },
  'throws as its signal aborts': ({ signal }) => {
    signal.addEventListener('abort', fails);
    return new Promise(() => undefined);
  },
  exits: () => process.exit(3),
  aborts: () => process.abort(),
  'exits in earnest': () => reallyExit(3),
  'dies in an effect': async ({ effect, logger }) => ({
    got: await effect(
      'pay',
      () => {
        logger.info('paid');
        return reallyExit(3);
      },
      { inDoubt: () => ({ result: 'found' as never }) },
    ),
  }),
  'throws elsewhere': async () => {
    outsideOfTasks = fails;
    await sleep(300);
    return { threadId };
  },
  'exits elsewhere': async () => {
    outsideOfTasks = () => process.exit(5);
    await sleep(300);
    return { threadId };
  },
};

const run = (
  { how, what = '' }: { how: string; what?: string | undefined },
  context: TrackedTaskContext,
): unknown => ways[how]?.(context, what);

/** The implementations for threads. */
export const threadTwins = [implement(inThread, run), implement(inThreadBriefly, run)];

/** The implementation for the worker's event loop. */
export const twinsHere = new Implementations([implement(here, run)]);

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as turn } from 'node:timers/promises';
import { isMainThread } from 'node:worker_threads';
import { defineTask, implement, PostponeTask, RejectTask, RetryTask, type TaskContext } from 'baton-tasks';
import { Implementations } from 'baton-tasks/tooling';
import * as z from 'zod';

const common = {
  queue: 'default',
  result: z.object({}),
  retry: { maxAttempts: 2, baseSeconds: 1, capSeconds: 1 },
} as const;
const milliseconds = z.object({ ms: z.int().min(0) });

/** A task that burns CPU in a thread without pause. */
export const burn = defineTask({
  ...common,
  name: 'tests.burn',
  payload: milliseconds,
  timeoutSeconds: 60,
  isolation: 'thread',
});

/** `burn` with a time limit of 2 s, to exceed it. */
export const burnOn = defineTask({
  ...common,
  name: 'tests.burn-on',
  payload: milliseconds,
  timeoutSeconds: 2,
  isolation: 'thread',
});

/** `burn` on the worker's event loop, which it blocks. */
export const block = defineTask({
  ...common,
  name: 'tests.block',
  payload: milliseconds,
  timeoutSeconds: 60,
});

/** A task that waits in a thread until its signal aborts. */
export const stopOnAbort = defineTask({
  ...common,
  name: 'tests.stop-on-abort',
  payload: z.object({}),
  timeoutSeconds: 2,
  isolation: 'thread',
});

/** A task that ends in the way that `how` names. */
export const end = defineTask({
  ...common,
  name: 'tests.end',
  payload: z.object({
    how: z.string(),
    where: z.string().trim().optional(),
  }),
  result: z.unknown(),
  retry: { maxAttempts: 5, baseSeconds: 60 },
  timeoutSeconds: 20,
  isolation: 'thread',
});

/** A task that logs with its own field, and sends another task. */
export const passOn = defineTask({
  ...common,
  name: 'tests.pass-on',
  payload: z.object({}),
  timeoutSeconds: 20,
  isolation: 'thread',
});

/** A tracked task in a thread that reports progress and has an effect. */
export const pay = defineTask({
  ...common,
  name: 'tests.pay',
  payload: z.object({ key: z.string() }),
  result: z.object({ paid: z.unknown() }),
  timeoutSeconds: 20,
  isolation: 'thread',
  tracked: true,
});

function burnCpu({ ms }: { ms: number }, { logger }: TaskContext): Record<string, never> {
  logger.info('burn begins');
  const untilMs = performance.now() + ms;
  while (performance.now() < untilMs);
  return {};
}

const ends: Readonly<Record<string, (context: TaskContext, where: string | undefined) => unknown>> = {
  retry: () => {
    throw new RetryTask('later', { delaySeconds: 7 });
  },
  postpone: () => {
    throw new PostponeTask('not now', { delaySeconds: 8 });
  },
  reject: () => {
    throw new RejectTask('never', { cause: new TypeError('because') });
  },
  fail: () => {
    throw Object.assign(new RangeError('no', { cause: { code: 4 } }), { code: 'E_NO', retry: () => 1 });
  },
  'throw text': () => {
    throw 'just text';
  },
  'throw a function': () => {
    throw (): number => 1;
  },
  'throw in a circle': () => {
    const error = new Error('round');
    error.cause = error;
    throw error;
  },
  'throw a strange message': () => {
    throw Object.assign(new Error('strange'), { message: () => 1 });
  },
  'throw what is frozen': () => {
    throw Object.freeze(new RejectTask('frozen'));
  },
  'throw what cannot be read': () => {
    const { proxy, revoke } = Proxy.revocable(new Error('revoked'), {});
    revoke();
    throw proxy;
  },
  'return a function': () => () => 1,
  'return nothing': () => undefined,
  'return its payload': (_context, where) => ({ where }),
  'return its context': ({ taskId, attempt, maxAttempts, worker }) => ({
    taskId,
    attempt,
    maxAttempts,
    worker,
  }),
  'return its thread': () => ({ isMainThread }),
  'exit the process': () => process.exit(3),
  'throw after its end': () => {
    setTimeout(() => {
      throw new Error('late');
    }, 50);
  },
  'call a program': ({ logger }) => {
    logger.info('calling a program');
    execFileSync(process.execPath, ['-e', 'setTimeout(() => undefined, 6000)']);
  },
  'sleep in a system call': async ({ logger }) => {
    logger.info('sleeps in a system call');
    // Gives the worker's event loop time to write the line
    await turn(50);
    execFileSync('sleep', ['50']);
  },
  'throw where nobody waits': () => {
    setImmediate(() => {
      throw new Error('stray');
    });
    return new Promise(() => undefined);
  },
};

/** The implementations of these tasks. */
export const threadTasks = [
  implement(burn, burnCpu),
  implement(burnOn, burnCpu),
  implement(block, burnCpu),
  implement(stopOnAbort, async (_payload, { signal, logger }) => {
    if (!signal.aborted) await once(signal, 'abort');
    logger.info({ reason: (signal.reason as Error).name }, 'signal aborted');
    throw signal.reason;
  }),
  implement(end, ({ how, where }, context) => ends[how]?.(context, where)),
  implement(passOn, async (_payload, { logger, send }) => {
    logger.child({ part: 1 }).warn({ error: new Error('none') }, 'passing on');
    await send(block, { ms: 0 });
    return {};
  }),
  implement(pay, async ({ key }, { effect, progress, token }) => {
    progress({ fraction: 0.5, message: `paying under ${token}` });
    return { paid: await effect(key, (idempotencyKey) => ({ by: idempotencyKey })) };
  }),
];

/** `threadTasks` in the form of a thread's entry. */
export const threadImplementations = new Implementations(threadTasks);

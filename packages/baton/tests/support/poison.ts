import { execFileSync, spawn } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { appendFileSync, createReadStream } from 'node:fs';
import { exit as namedExit } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { defineTask, implement, type TaskContext } from 'baton-tasks';
import * as z from 'zod';

const common = {
  queue: 'default',
  payload: z.object({ how: z.string() }),
  result: z.object({}),
  retry: { maxAttempts: 3, baseSeconds: 1, capSeconds: 1 },
  timeoutSeconds: 600,
} as const;

/** A task that harms its process in the way that `how` names. */
export const poison = defineTask({ ...common, name: 'tests.poison' });

/** `poison`, tracked. */
export const trackedPoison = defineTask({ ...common, name: 'tests.tracked-poison', tracked: true });

/** A task that harms its process when its signal aborts, at its time limit of a second. */
export const latePoison = defineTask({ ...common, name: 'tests.late-poison', timeoutSeconds: 1 });

/** `poison` in a thread. */
export const threadPoison = defineTask({ ...common, name: 'tests.thread-poison', isolation: 'thread' });

/** `latePoison` in a thread. */
export const lateThreadPoison = defineTask({
  ...latePoison,
  name: 'tests.late-thread-poison',
  isolation: 'thread',
});

/** A harmless task that sleeps, and adds a line to the sink at its end. */
export const good = defineTask({ ...common, name: 'tests.good', payload: z.object({ ms: z.int() }) });

/** `good`, tracked. */
export const trackedGood = defineTask({ ...good, name: 'tests.tracked-good', tracked: true });

// oxlint-disable-next-line typescript/unbound-method -- some modules keep it like this
const capturedExit = process.exit;
const never = () => new Promise<never>(() => undefined);
const fails = (what: string): never => {
  throw new Error(what);
};

/** Harm that the process survives. */
export const survivable: Readonly<Record<string, (context: TaskContext) => unknown>> = {
  'process.exit': () => process.exit(7),
  'exit by name': () => namedExit(7),
  'exit from before': () => capturedExit(7),
  'exit in a timer': () => {
    setTimeout(() => process.exit(7), 10);
    return never();
  },
  'exit that is caught': async ({ signal }) => {
    try {
      process.exit(7);
    } catch {
      await sleep(60_000, undefined, { signal });
    }
  },
  'process.abort': () => process.abort(),
  'signal to itself': () => process.kill(process.pid, 'SIGKILL'),
  'stop signal to itself': async ({ signal }) => {
    process.kill(process.pid, 'SIGTERM');
    await sleep(60_000, undefined, { signal });
  },
  'rejection as it returns': () => {
    void Promise.reject(new Error('floating'));
    return {};
  },
  'rejection while it runs': async ({ signal }) => {
    void (async () => fails('floating'))();
    await sleep(60_000, undefined, { signal });
  },
  'throw in a timer': () => {
    setTimeout(() => fails('late'), 10);
    return never();
  },
  'throw in an event': () => {
    const emitter = new EventEmitter();
    setImmediate(() => emitter.emit('error', new Error('emitted')));
    return never();
  },
  'stream that fails': () => {
    createReadStream('/no/such/file');
    return never();
  },
};

/** Harm when the handler's signal aborts. The process survives it. */
export const atAbort: Readonly<Record<string, (context: TaskContext) => unknown>> = {
  'throw in a listener': ({ signal }) => {
    signal.addEventListener('abort', () => fails('listener'));
    return never();
  },
  'throw in onabort': ({ signal }) => {
    // oxlint-disable-next-line unicorn/prefer-add-event-listener -- some handlers do it like this
    signal.onabort = () => fails('onabort');
    return never();
  },
  'rejection in a listener': ({ signal }) => {
    signal.addEventListener('abort', () => void Promise.reject(new Error('floating')));
    return never();
  },
  'throw behind another signal': ({ signal }) => {
    AbortSignal.any([signal]).addEventListener('abort', () => fails('behind'));
    return never();
  },
  'throw beside a rejection': ({ signal }) =>
    new Promise((_, reject) => {
      signal.addEventListener('abort', () => {
        reject(signal.reason as Error);
        fails('beside');
      });
    }),
  'a program without a listener': ({ signal }) => {
    spawn('sleep', ['60'], { signal });
    return never();
  },
  'exit in a listener': ({ signal }) => {
    signal.addEventListener('abort', () => process.exit(7));
    return never();
  },
};

let outsideOfTasks: (() => void) | undefined;
// Starts before all handlers, so that it belongs to no task
setInterval(() => outsideOfTasks?.(), 10).unref();

/** Harm from code outside of all tasks. The handler itself runs for another half a second. */
export const anonymous: Readonly<Record<string, () => unknown>> = {
  'throw elsewhere': async () => {
    outsideOfTasks = () => fails('elsewhere');
    await sleep(500);
    return {};
  },
  'exit elsewhere': async () => {
    outsideOfTasks = () => process.exit(5);
    await sleep(500);
    return {};
  },
};

/** Harm that kills the process or blocks it. */
export const deadly: Readonly<Record<string, () => unknown>> = {
  'blocked for 5 s': () => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5000);
    return {};
  },
  SIGKILL: () => execFileSync('kill', ['-9', String(process.pid)]),
  'endless loop': () => {
    for (;;);
  },
  'endless loop after a while': async () => {
    await sleep(200);
    for (;;);
  },
  'endless promises': async () => {
    const next = async (): Promise<void> => {
      for (;;) await Promise.resolve();
    };
    await next();
  },
  'endless expression': () => /^(a+)+$/.test(`${'a'.repeat(60)}b`),
  'loop at the stop': () =>
    new Promise(() => {
      process.once('SIGTERM', () =>
        setTimeout(() => {
          for (;;);
        }, 100),
      );
    }),
  'blocking call': () => execFileSync('sleep', ['600']),
  'out of memory': () => {
    const kept: unknown[] = [];
    for (;;) kept.push(Array.from({ length: 10_000 }, (_, index) => ({ index })));
  },
};

const inWorker = process.env['HEALTH_PORT'] !== undefined;
/** Does harm if a worker checks the payload, but not if a sender does. */
const harmless = (how: string): boolean => {
  if (inWorker) void { ...survivable, ...deadly }[how]?.({} as never);
  return true;
};

/** A task whose payload schema harms its process. */
export const schemaPoison = defineTask({
  ...common,
  name: 'tests.schema-poison',
  payload: z.object({ how: z.string().refine(harmless) }),
});

/** `schemaPoison`, tracked. */
export const trackedSchemaPoison = defineTask({
  ...schemaPoison,
  name: 'tests.tracked-schema-poison',
  tracked: true,
});

const harm = ({ how }: { how: string }, context: TaskContext): Promise<Record<string, never>> => {
  context.logger.info({ how }, 'poison begins');
  return ({ ...survivable, ...atAbort, ...anonymous, ...deadly }[how] ?? fails)(context as never) as Promise<
    Record<string, never>
  >;
};

const sink = process.env['NAP_SINK'];

async function doGood({ ms }: { ms: number }, context: TaskContext): Promise<Record<string, never>> {
  const { signal, logger, taskId } = context;
  logger.info('good begins');
  await sleep(ms, undefined, { signal });
  if (sink) appendFileSync(sink, `${taskId} done ${Date.now()} ${ms}\n`);
  return {};
}

/** The implementations of these tasks. */
export const poisonTasks = [
  implement(poison, harm),
  implement(trackedPoison, harm),
  implement(latePoison, harm),
  implement(threadPoison, harm),
  implement(lateThreadPoison, harm),
  implement(schemaPoison, () => ({})),
  implement(trackedSchemaPoison, () => ({})),
  implement(good, doGood),
  implement(trackedGood, doGood),
];

import { setTimeout as sleep } from 'node:timers/promises';
import { defineTask, implement, RejectTask, taskEndSchema } from 'baton-tasks';
import { createDocumentClient } from 'baton-tasks/tooling';
import * as z from 'zod';
import { EffectSink } from './effect-sink.ts';

/** Many attempts, because every kill may use one up. */
const RETRY = { maxAttempts: 30, baseSeconds: 1, capSeconds: 1 } as const;

const counted = z.object({
  number: z.int(),
  /** How long the task takes: half of it before its effect, half after. */
  ms: z.int().min(0).default(0),
  /** This number of first attempts throw after the effect. */
  failures: z.int().min(0).default(0),
  /** The task with this number rejects itself after the effect. */
  rejectsAt: z.int().optional(),
});

/** A task that adds a row to the sink, and returns its number plus one. Tests make chains of it. */
export const count = defineTask({
  name: 'tests.count',
  queue: 'default',
  payload: counted,
  result: counted,
  retry: RETRY,
  timeoutSeconds: 60,
  tracked: true,
});

/** A task that adds up the results of a group, and adds a row to the sink. */
export const sum = defineTask({
  name: 'tests.sum',
  queue: 'default',
  payload: z.array(counted),
  result: z.object({ sum: z.int() }),
  retry: RETRY,
  timeoutSeconds: 60,
  tracked: true,
});

/** A listener that adds a row with the end that it is told. */
export const told = defineTask({
  name: 'tests.told',
  queue: 'default',
  payload: taskEndSchema,
  result: z.object({}),
  retry: RETRY,
  timeoutSeconds: 60,
  tracked: true,
});

const table = process.env['EFFECTS_TABLE'];
const sink = table === undefined ? undefined : new EffectSink(createDocumentClient(), table);
const insert = (key: string, token: number): Promise<void> | undefined => sink?.insert(key, token);

/** The implementations of these tasks. */
export const trackedTasks = [
  implement(count, async (payload, { attempt, effect, logger, signal, token }) => {
    const { number, ms, failures, rejectsAt } = payload;
    logger.info('count begins');
    await sleep(ms / 2, undefined, { signal });
    await effect('count', (key) => insert(key, token));
    await sleep(ms / 2, undefined, { signal });
    if (attempt <= failures) throw new Error('failed by plan');
    if (number === rejectsAt) throw new RejectTask('rejected by plan');
    return { ...payload, number: number + 1 };
  }),
  implement(sum, async (parts, { effect, token }) => {
    await effect('sum', (key) => insert(key, token));
    return { sum: parts.reduce((total, { number }) => total + number, 0) };
  }),
  implement(told, async ({ taskId, state, token }, { effect, token: own }) => {
    await effect('told', () => insert(`${taskId} ${state} ${token}`, own));
    return {};
  }),
];

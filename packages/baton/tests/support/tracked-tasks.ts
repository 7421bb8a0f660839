import { setTimeout as sleep } from 'node:timers/promises';
import { defineTask, implement, RejectTask, taskEndSchema } from 'baton-tasks';
import { createDocumentClient } from 'baton-tasks/tooling';
import * as z from 'zod';
import { EffectSink } from './effect-sink.ts';

/** Every kill may use an attempt up, so there are many. */
const RETRY = { maxAttempts: 30, baseSeconds: 1, capSeconds: 1 } as const;

const counted = z.object({
  number: z.int(),
  /** How long the task takes: half of it before its effect, half after. */
  ms: z.int().min(0).default(0),
  /** So many first attempts throw, after the effect. */
  failures: z.int().min(0).default(0),
  /** The task that is given this number rejects itself, after the effect. */
  rejectsAt: z.int().optional(),
});

/** Leaves a row in the sink, and gives one more than it was given; of such tasks chains are made. */
export const count = defineTask({
  name: 'tests.count',
  queue: 'default',
  payload: counted,
  result: counted,
  retry: RETRY,
  timeoutSeconds: 60,
  tracked: true,
});

/** Adds up what a group of the others gave, and leaves a row, too. */
export const sum = defineTask({
  name: 'tests.sum',
  queue: 'default',
  payload: z.array(counted),
  result: z.object({ sum: z.int() }),
  retry: RETRY,
  timeoutSeconds: 60,
  tracked: true,
});

/** Is told of an end, and leaves a row that says which. */
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
const insert = (key: string): Promise<void> | undefined => sink?.insert(key);

/** What does them. */
export const trackedTasks = [
  implement(count, async (payload, { attempt, effect, logger, signal }) => {
    const { number, ms, failures, rejectsAt } = payload;
    logger.info('count begins');
    await sleep(ms / 2, undefined, { signal });
    await effect('count', insert);
    await sleep(ms / 2, undefined, { signal });
    if (attempt <= failures) throw new Error('It was to fail at first');
    if (number === rejectsAt) throw new RejectTask('It was to reject itself');
    return { ...payload, number: number + 1 };
  }),
  implement(sum, async (parts, { effect }) => {
    await effect('sum', insert);
    return { sum: parts.reduce((total, { number }) => total + number, 0) };
  }),
  implement(told, async ({ taskId, state, token }, { effect }) => {
    await effect('told', () => insert(`${taskId} ${state} ${token}`));
    return {};
  }),
];

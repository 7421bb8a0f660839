import * as z from 'zod';
import { defineTask } from '../../task/task.ts';
import { taskEndSchema } from '../../task/task-end.ts';

const usual = {
  queue: 'orders',
  retry: { maxAttempts: 3, baseSeconds: 60 },
  timeoutSeconds: 5,
};

/** An untracked task. */
export const greet = defineTask({
  ...usual,
  name: 'tests.greet',
  payload: z.object({ name: z.string(), loud: z.boolean().default(false) }),
  result: z.object({ text: z.string() }),
});

/** A listener to the ends of other tasks. */
export const told = defineTask({
  ...usual,
  name: 'tests.told',
  queue: 'ends',
  payload: taskEndSchema,
  result: z.void(),
});

/** A tracked task in lanes, with a listener. */
export const charge = defineTask({
  ...usual,
  name: 'tests.charge',
  tracked: true,
  lanes: { high: 3, normal: 1 },
  defaultLane: 'normal',
  onEnd: told,
  payload: z.object({ cents: z.int().min(1) }),
  result: z.object({ receipt: z.string() }),
});

/** A tracked task that takes the result of `charge`. */
export const ship = defineTask({
  ...usual,
  name: 'tests.ship',
  tracked: true,
  payload: z.object({ receipt: z.string() }),
  result: z.object({ parcel: z.string() }),
});

/** A tracked task that takes the results of a group of `charge`. */
export const sum = defineTask({
  ...usual,
  name: 'tests.sum',
  tracked: true,
  payload: z.array(z.object({ receipt: z.string() })),
  result: z.object({ receipts: z.string() }),
});

/** A task with a schedule: it runs every night. */
export const sweep = defineTask({
  ...usual,
  name: 'tests.sweep',
  tracked: true,
  schedule: { cron: '0 3 * * *', timeZone: 'UTC' },
  payload: z.object({}),
  result: z.void(),
});

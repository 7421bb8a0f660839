import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { defineTask, implement } from 'baton-tasks';
import * as z from 'zod';

/** A task that sleeps, in one of three lanes. */
export const lanedNap = defineTask({
  name: 'tests.laned-nap',
  queue: 'reports',
  lanes: { high: 8, normal: 3, low: 1 },
  defaultLane: 'normal',
  payload: z.object({ lane: z.string(), ms: z.int().min(0), sentAtMs: z.int() }),
  result: z.object({}),
  retry: { maxAttempts: 3, baseSeconds: 1 },
  timeoutSeconds: 60,
});

const sink = process.env['NAP_SINK'];

/** Logs its lane and how long it has waited. Writes a line to the sink at its end, if there is a sink. */
export const lanedNapTask = implement(
  lanedNap,
  async ({ lane, ms, sentAtMs }, { signal, logger, taskId }) => {
    logger.info({ lane, waitedMs: Date.now() - sentAtMs }, 'nap begins');
    await sleep(ms, undefined, { signal });
    if (sink) appendFileSync(sink, `${taskId} done ${Date.now()} ${ms}\n`);
    return {};
  },
);

import { setImmediate as turn } from 'node:timers/promises';
import { defineTask, implement } from 'baton-tasks';
import * as z from 'zod';

/** A task that writes many log lines, numbered from 0. */
export const chatter = defineTask({
  name: 'tests.chatter',
  queue: 'default',
  payload: z.object({ lines: z.int().min(0), bytes: z.int().min(0) }),
  result: z.object({}),
  retry: { maxAttempts: 20, baseSeconds: 1 },
  timeoutSeconds: 60,
});

/** Writes one line in each turn of the event loop, so that other tasks run too. */
export const chatterTask = implement(chatter, async ({ lines, bytes }, { logger }) => {
  const words = 'x'.repeat(bytes);
  for (let line = 0; line < lines; line += 1) {
    logger.info({ line, words }, 'chatter');
    await turn();
  }
  return {};
});

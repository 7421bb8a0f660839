import { closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { defineTask, implement } from 'baton-tasks';
import * as z from 'zod';

/** A task that opens all file descriptors that its process may have, and keeps them for a while. */
export const hoarder = defineTask({
  name: 'tests.hoarder',
  queue: 'default',
  payload: z.object({ ms: z.int().min(0) }),
  result: z.object({}),
  retry: { maxAttempts: 20, baseSeconds: 1 },
  timeoutSeconds: 60,
});

/** Opens all descriptors, also those that become free later. */
export const hoarderTask = implement(hoarder, async ({ ms }, { logger }) => {
  const files: number[] = [];
  const untilMs = performance.now() + ms;
  const take = (): void => {
    try {
      for (;;) files.push(openSync('/dev/null', 'r'));
    } catch {
      // No descriptor is left
    }
  };
  take();
  logger.info({ files: files.length }, 'all descriptors are taken');
  for (; performance.now() < untilMs; take()) await sleep(10);
  for (const file of files) closeSync(file);
  return {};
});

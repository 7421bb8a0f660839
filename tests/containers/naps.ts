// The worker of the scaling test. Its tasks only sleep, so that only workers and SQS limit the throughput.
import { runWorker } from 'baton-tasks/worker';
import { appendFileSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { defineTask, implement } from 'baton-tasks';
import * as z from 'zod';

/** A task that sleeps. */
export const nap = defineTask({
  name: 'tests.nap',
  queue: 'default',
  payload: z.object({ ms: z.int().min(0) }),
  result: z.object({}),
  retry: { maxAttempts: 20, baseSeconds: 1 },
  timeoutSeconds: 60,
});

/** A nap that has ended. */
export interface PastNap {
  /** Milliseconds since 1970, by its worker's clock. */
  readonly endedMs: number;
  /** The planned length. */
  readonly ms: number;
}

/** Reads the naps that have ended so far, in order, from the file to which the workers append. */
export function pastNaps(file: string): PastNap[] {
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => {
    const [endedMs, ms] = line.split(' ').map(Number);
    return { endedMs: endedMs ?? Number.NaN, ms: ms ?? Number.NaN };
  });
}

/** Runs the worker. Each nap appends a line to the file in NAP_SINK at its end. */
async function run(): Promise<void> {
  const file = process.env['NAP_SINK'] ?? '';
  const napTask = implement(nap, async ({ ms }, { signal }) => {
    await sleep(ms, undefined, { signal });
    appendFileSync(file, `${Date.now()} ${ms}\n`);
    return {};
  });
  await runWorker({ implementations: [napTask] });
}

if (import.meta.main) await run();

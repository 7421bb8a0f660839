import { afterEach, expect, test } from '@jest/globals';
import { createLogger } from '@baton/common/telemetry/logger';
import { eventually } from '@baton/tests/eventually';
import type { RunningTask } from '../running-task.ts';
import { Watchdog } from '../watchdog.ts';

const LEASE_SECONDS = 0.3;
const lines: Record<string, unknown>[] = [];
const to = { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) };
const running: Pick<RunningTask, 'describe'>[] = [];
const described = { task: 'tests.block', taskId: 't-1' };
const watchdog = new Watchdog(
  LEASE_SECONDS,
  () => running as RunningTask[],
  createLogger({ service: 'tests', to }),
);

afterEach(() => {
  watchdog.stop();
  lines.length = 0;
  running.length = 0;
});

/** Runs a task that blocks the event loop for three leases. */
function block(): void {
  running.push({ describe: () => described as unknown as ReturnType<RunningTask['describe']> });
  const untilMs = performance.now() + 3 * LEASE_SECONDS * 1000;
  while (performance.now() < untilMs);
}

test('a task that blocks the loop and goes on is named by the watchdog', async () => {
  watchdog.start();
  block();
  await eventually('a line', () => lines.length > 0);
  expect(lines).toMatchObject([{ level: 'error', running: [described] }]);
});

test('a task that blocks the loop and is then forgotten is named once, by a look at its end', async () => {
  watchdog.start();
  block();
  watchdog.look();
  running.length = 0;
  await new Promise(setImmediate);
  expect(lines).toMatchObject([{ running: [described] }]);
});

test('a look finds nothing before the watchdog has started, nor where the loop was free', () => {
  watchdog.look();
  watchdog.start();
  watchdog.look();
  expect(lines).toEqual([]);
});

import type { Measure } from '../bench.ts';
import { atUnequal, drain } from '../load.ts';
import { onOneBroker, takingPart } from '../pairs.ts';
import { mixedMs, type TaskTimes } from '../protocol.ts';
import { percentile } from '../statistics.ts';

const CONCURRENCY = 50;
const TASKS = { full: 4000, quick: 100 } as const;

/** Slow and fast tasks, all queued at once: whether fast tasks wait for slow ones, and whether slots stay empty. */
export const mixedQueued: Measure = {
  id: 'mixed-queued',
  title: 'Mixed tasks, all queued at once',
  rounds: { full: 3, quick: 1 },
  run: (bench) => {
    const tasks = TASKS[bench.mode];
    const contenders = takingPart(bench, { quick: ['baton', 'sqs-consumer', 'bullmq'] });
    return onOneBroker(bench, contenders, async (contender, broker) => {
      const load = { contender: atUnequal(contender), broker, tasks, jobs: 'mixed' };
      const {
        goAtMs,
        lastAtMs,
        records = [],
      } = await drain(bench, load, { concurrency: CONCURRENCY, record: true });
      const by = { contender: contender.name, broker: broker.name };
      const makespanSeconds = (lastAtMs - goAtMs) / 1000;
      bench.record({ ...by, figure: 'makespan', unit: 's', value: makespanSeconds });
      const toIdeal = makespanSeconds / idealSeconds(tasks);
      bench.record({ ...by, figure: 'makespan-to-ideal', unit: 'times', value: toIdeal });
      const fast = fastOnes(records).map(([, , , finishedAtMs]) => finishedAtMs - goAtMs);
      bench.record({ ...by, figure: 'fast-p50', unit: 'ms', value: percentile(fast, 0.5) });
      bench.record({ ...by, figure: 'fast-p99', unit: 'ms', value: percentile(fast, 0.99) });
    });
  },
};

/** The time of the work if no slot is ever empty. */
function idealSeconds(tasks: number): number {
  const workMs = Array.from({ length: tasks }, (_, id) => mixedMs(id)).reduce((sum, ms) => sum + ms, 0);
  return workMs / CONCURRENCY / 1000;
}

/** The times of the tasks that take 5 ms. */
export function fastOnes(records: readonly TaskTimes[]): TaskTimes[] {
  return records.filter(([ms]) => ms === mixedMs(1));
}

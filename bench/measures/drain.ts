import type { Bench, Measure } from '../bench.ts';
import type { Contender } from '../contender.ts';
import { drain } from '../load.ts';
import { onEveryBroker } from '../pairs.ts';
import type { Finished } from '../protocol.ts';

const TASKS = { full: 20_000, quick: 300 } as const;
/** Whoever is far slower gets less to do, so that a round does not wait for one. */
const FEWER: Readonly<Record<string, number>> = { celery: 3000 };

/** No-op tasks that were queued beforehand: what a worker costs, and how fast it is. */
export const drainMeasure: Measure = {
  id: 'drain',
  title: 'Drain of no-op tasks',
  rounds: { full: 6, quick: 1 },
  run: (bench) =>
    onEveryBroker(bench, async (contender, broker) => {
      const tasks = tasksFor(bench, contender);
      const seen = await drain(
        bench,
        { contender, broker, tasks },
        { concurrency: contender.drainConcurrency },
      );
      const by = { contender: contender.name, broker: broker.name };
      bench.record({ ...by, figure: 'throughput', unit: 'tasks/s', value: throughput(seen) });
      bench.record({ ...by, figure: 'cpu', unit: 'us/task', value: cpuUs(seen) });
      bench.record({ ...by, figure: 'peak-memory', unit: 'MB', value: seen.peakMb });
    }),
};

/** How many no-op tasks a contender drains. */
function tasksFor({ mode }: Pick<Bench, 'mode'>, { name }: Contender): number {
  return Math.min(TASKS[mode], FEWER[name] ?? Infinity);
}

/** Tasks a second, from `go` to the last. */
export function throughput({ tasks, goAtMs, lastAtMs }: Finished): number {
  return (tasks * 1000) / (lastAtMs - goAtMs);
}

/** Microseconds of CPU a task. */
export function cpuUs({ cpuMs, tasks }: Finished): number {
  return (cpuMs * 1000) / tasks;
}

import type { Bench } from './bench.ts';
import type { Finished } from './protocol.ts';
import type { Sample } from './results.ts';

/** Tasks a second, from `go` to the last. */
export function throughput({ tasks, goAtMs, lastAtMs }: Finished): number {
  return (tasks * 1000) / (lastAtMs - goAtMs);
}

/** Microseconds of CPU a task. */
export function cpuUs({ cpuMs, tasks }: Finished): number {
  return (cpuMs * 1000) / tasks;
}

/** Notes what a worker's tasks have cost: tasks a second, and CPU a task. */
export function recordCosts(
  bench: Pick<Bench, 'record'>,
  by: Pick<Sample, 'contender' | 'broker' | 'at'>,
  seen: Finished,
): void {
  bench.record({ ...by, figure: 'throughput', unit: 'tasks/s', value: throughput(seen) });
  bench.record({ ...by, figure: 'cpu', unit: 'us/task', value: cpuUs(seen) });
}

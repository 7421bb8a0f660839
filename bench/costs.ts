import type { Bench } from './bench.ts';
import type { Finished } from './protocol.ts';
import type { Sample } from './results.ts';

/** Tasks per second, from `go` to the end of the last task. */
export function throughput({ tasks, goAtMs, lastAtMs }: Finished): number {
  return (tasks * 1000) / (lastAtMs - goAtMs);
}

/** Microseconds of CPU per task. */
export function cpuUs({ cpuMs, tasks }: Finished): number {
  return (cpuMs * 1000) / tasks;
}

/** Records the cost of a worker's tasks: tasks per second, and CPU per task. */
export function recordCosts(
  bench: Pick<Bench, 'record'>,
  by: Pick<Sample, 'contender' | 'broker' | 'at'>,
  seen: Finished,
): void {
  bench.record({ ...by, figure: 'throughput', unit: 'tasks/s', value: throughput(seen) });
  bench.record({ ...by, figure: 'cpu', unit: 'us/task', value: cpuUs(seen) });
}

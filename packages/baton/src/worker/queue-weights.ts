// The queues whose messages a worker runs itself, and how they share its slots.
import { ConfigError } from '../process/config.ts';
import type { Implementations } from '../task/implementation.ts';
import { queuesOfLanes } from '../task/lane.ts';
import type { WorkerConfig } from './config.ts';

/**
 * The queues that a worker runs itself, by name, with their weights.
 *
 * @throws ConfigError that names a configured queue for which the worker has no implementation
 */
export function ownQueueWeights(
  { queues, lambdaQueues }: Pick<WorkerConfig, 'queues' | 'lambdaQueues'>,
  implementations: Implementations,
): ReadonlyMap<string, number> {
  const implemented = implementations.queues;
  if (queues === 'all') {
    const own = implemented.filter((queue) => !lambdaQueues.some((target) => target.queue === queue));
    return new Map(own.map((queue) => [queue, 1]));
  }
  const foreign = [...queues.keys()].find((queue) => !implemented.includes(queue));
  if (foreign === undefined) return queues;
  throw new ConfigError(
    `WORKER_QUEUES has ${foreign}, for which this worker has no implementation: expected ${implemented.join(', ')}`,
  );
}

/** The lanes of each of these queues, by name, with their weights. A queue without lanes is its only lane. */
export function lanesOf(
  queues: readonly string[],
  { lanes }: Implementations,
): ReadonlyMap<string, ReadonlyMap<string, number>> {
  return new Map(
    queues.map((queue) => {
      const own = lanes.get(queue);
      return [queue, own ? queuesOfLanes(queue, own) : new Map([[queue, 1]])];
    }),
  );
}

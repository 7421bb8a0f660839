import type { WorkerConfig } from 'baton-tasks/tooling/processes';
import { work } from './model-tasks.ts';

/** No task asks for a delay of this length, so a change of visibility to it is a renewal of the lease. */
export const LEASE_SECONDS = 6.5;
/** How long a poll waits. */
export const WAIT_SECONDS = 2;
/** How long tasks may run on during a stop. */
export const DRAIN_SECONDS = 3;
/** How long a handler may run on after its signal has aborted. */
export const GRACE_SECONDS = 1;

/** The configuration of a worker of the model. @param local - whether it runs its tasks itself */
export function configOf(workerId: string, concurrency: number, local: boolean): WorkerConfig {
  const target = { queue: work.queue, functionName: 'model', batchSize: 3, maximumConcurrency: 2 };
  return {
    logLevel: 'silent',
    queueUrlPrefix: 'http://sqs/0/',
    tasksTable: 'tasks',
    region: 'us-east-1',
    workerId,
    version: '1',
    revision: 'unknown',
    concurrency,
    queues: new Map(local ? [[work.queue, 1]] : []),
    lambdaQueues: local ? [] : [target],
    waitSeconds: WAIT_SECONDS,
    leaseSeconds: LEASE_SECONDS,
    drainTimeoutSeconds: DRAIN_SECONDS,
    abortGraceSeconds: GRACE_SECONDS,
    unknownTaskPatienceSeconds: 8,
    healthHost: '127.0.0.1',
    healthPort: 1,
  };
}

/** The worker's folder. */
export const WORKER_FOLDER = 'worker';

/** The name of the worker's function in its functions.yml. */
export const WORKER = 'worker';

/** The prefix of the names of all queues, tables and functions of a stage, such as `baton-dev-`. */
export function stagePrefixOf(stage: string): string {
  return `baton-${stage}-`;
}

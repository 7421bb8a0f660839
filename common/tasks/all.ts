import type { Implementation } from 'baton-tasks';
import { healthCheckTask } from './health-check.ts';
import { processOrderTask } from './process-order.ts';

/** Every implementation that any worker can run. */
export const allTasks: readonly Implementation[] = [healthCheckTask, processOrderTask];

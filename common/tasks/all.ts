import { Implementations } from 'baton-tasks/internal/task/implementation';
import { healthCheckTask } from './health-check.ts';
import { processOrderTask } from './process-order.ts';

/** Every implementation that any worker can run. */
export const allTasks = new Implementations([healthCheckTask, processOrderTask]);

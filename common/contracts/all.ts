import type { TaskContract } from 'baton-tasks';
import { healthCheck } from './health.ts';
import { recordNotificationEnd, sendNotification } from './notifications.ts';
import { processOrder, recordOrderOutcome, recordOrderTaskEnd } from './orders.ts';

/**
 * Every contract of this folder. A process that ends a task sends the tasks that follow only to these contracts. If a row of
 * the task store names another one, the process does not follow it.
 */
export const allContracts: readonly TaskContract[] = [
  healthCheck,
  sendNotification,
  recordNotificationEnd,
  processOrder,
  recordOrderOutcome,
  recordOrderTaskEnd,
];

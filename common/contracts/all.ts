import type { TaskContract } from 'baton-tasks';
import { healthCheck } from './health.ts';
import { recordNotificationEnd, sendNotification } from './notifications.ts';
import { processOrder, recordOrderOutcome, recordOrderTaskEnd } from './orders.ts';

/**
 * Every contract of this folder. Whoever ends tasks sends what follows them only to these: a row of the task store that
 * names something else is not followed.
 */
export const allContracts: readonly TaskContract[] = [
  healthCheck,
  sendNotification,
  recordNotificationEnd,
  processOrder,
  recordOrderOutcome,
  recordOrderTaskEnd,
];

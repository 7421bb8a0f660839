import type { TaskContract } from 'baton-tasks';
import { processOrder } from './orders.ts';

/**
 * Every contract of this folder that has lanes. Their queues, event sources and rights follow from here, on AWS and
 * wherever else queues are created; a test holds the list complete.
 */
export const lanedContracts: readonly TaskContract[] = [processOrder];

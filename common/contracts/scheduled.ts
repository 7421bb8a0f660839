import type { TaskContract } from 'baton-tasks';

/**
 * Every contract of this folder that has a schedule. From here workers tick those that functions run, and AWS gets a
 * schedule of EventBridge for each of them.
 */
export const scheduledContracts: readonly TaskContract[] = [];

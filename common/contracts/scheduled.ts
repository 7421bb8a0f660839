import type { TaskContract } from 'baton-tasks';

/**
 * Every contract of this folder that has a schedule. Workers read it to tick the schedules of tasks that functions run. On
 * AWS each of them becomes a schedule of EventBridge.
 */
export const scheduledContracts: readonly TaskContract[] = [];

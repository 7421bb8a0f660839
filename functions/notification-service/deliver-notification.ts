import {
  DELIVERY,
  type Notification,
  recordNotificationEnd,
  sendNotification,
  wasDelivered,
} from '@baton/common/contracts/notifications';
import { implement, type Implementation, RejectTask, type TaskEnd } from 'baton-tasks';
import type { Channel } from './channel.ts';
import type { NotificationStore } from './store.ts';

/** Configures the tasks of notifications. */
export interface DeliveringOptions {
  readonly notifications: NotificationStore;
  /** The channel for each kind of notification. */
  readonly channels: Readonly<Record<Notification['channel'], Channel>>;
}

/** Makes the implementations of the tasks on the queue `notifications`. */
export function notificationTasks(options: DeliveringOptions): readonly Implementation[] {
  return [deliverNotification(options), recordEnd(options)];
}

/** Records the end of a notification's task, if it did not succeed. */
function recordEnd(options: DeliveringOptions): Implementation {
  return implement(recordNotificationEnd, async (end, { logger }) => {
    const recorded = (await recordDelivery(end, options)) || (await options.notifications.recordEnd(end));
    logger.info({ notificationId: end.taskId, recorded }, `notification ${end.state}`);
    return { recorded };
  });
}

/**
 * Records that a notification was delivered although its task did not succeed: the handler may have been stopped before
 * it could record that. Resolves to whether it was written.
 */
async function recordDelivery(
  end: TaskEnd,
  { notifications, channels }: DeliveringOptions,
): Promise<boolean> {
  // The handler has marked it as delivered
  if (end.state === 'succeeded' || !wasDelivered(end)) return false;
  const row = await notifications.find(end.taskId);
  if (row?.channel === undefined || row.status === 'delivered') return false;
  await notifications.markDelivered(end.taskId, channels[row.channel].name);
  return true;
}

/**
 * Delivers a notification. The delivery is an effect of its task: no later attempt sends it again, unless the process
 * crashed after the delivery and before the effect was kept.
 */
function deliverNotification({ notifications, channels }: DeliveringOptions): Implementation {
  return implement(sendNotification, async (notification, { taskId, token, signal, effect }) => {
    const { status, createdAt, ...row } = await notifications.open(taskId, notification, token);
    if (status === 'deleted') throw new RejectTask('The notification was deleted after its task had ended');
    const deliver = async (): Promise<string> => {
      const channel = channels[notification.channel];
      await channel.deliver({ notificationId: taskId, notification, createdAt, signal });
      return channel.name;
    };
    // Rows from before the tasks were tracked may say that the notification was delivered, without an effect
    const known = status === 'delivered' ? (row.deliveredBy ?? '') : undefined;
    const by = await effect(DELIVERY, async () => known ?? deliver());
    const { deliveredAt = '', deliveredBy = '' } = await notifications.markDelivered(taskId, by);
    return { notificationId: taskId, deliveredAt, deliveredBy };
  });
}

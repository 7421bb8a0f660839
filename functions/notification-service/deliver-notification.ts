import {
  type Notification,
  recordNotificationEnd,
  sendNotification,
} from '@baton/common/contracts/notifications';
import { implement, type Implementation, Implementations } from '@baton/common/queue/implementation';
import type { Channel } from './channel.ts';
import type { NotificationStore } from './store.ts';

/** What delivering notifications takes. */
export interface DeliveringOptions {
  readonly notifications: NotificationStore;
  /** The way out for each kind of notification. */
  readonly channels: Readonly<Record<Notification['channel'], Channel>>;
}

/** Makes the implementations of what the queue `notifications` carries. */
export function notificationTasks(options: DeliveringOptions): Implementations {
  return new Implementations([deliverNotification(options), recordEnd(options)]);
}

/** Writes down how a notification's task ended that was not delivered. */
function recordEnd({ notifications }: DeliveringOptions): Implementation {
  return implement(recordNotificationEnd, async (end, { logger }) => {
    const recorded = await notifications.recordEnd(end);
    logger.info({ notificationId: end.taskId, recorded }, `notification ${end.state}`);
    return { recorded };
  });
}

/**
 * What delivers a notification. What has left the house is an effect of its task: no later attempt
 * sends it again, but for one that follows a crash in the moment between.
 */
function deliverNotification({ notifications, channels }: DeliveringOptions): Implementation {
  return implement(sendNotification, async (notification, { taskId, token, signal, effect }) => {
    const { status, createdAt, ...row } = await notifications.open(taskId, notification, token);
    const deliver = async (): Promise<string> => {
      const channel = channels[notification.channel];
      await channel.deliver({ notificationId: taskId, notification, createdAt, signal });
      return channel.name;
    };
    // A row of before this service's tasks were tracked may say that it was delivered, and no effect does
    const by = status === 'delivered' ? row.deliveredBy : await effect('send', deliver);
    const { deliveredAt = '', deliveredBy = '' } = await notifications.markDelivered(taskId, by ?? '');
    return { notificationId: taskId, deliveredAt, deliveredBy };
  });
}

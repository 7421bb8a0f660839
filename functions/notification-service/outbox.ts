import type { Logger } from 'baton-tasks/service';
import type { Channel } from './channel.ts';

/** The channel that leaves the house by nothing but a log line: the notification's row is its record. */
export function outbox(logger: Logger): Channel {
  return {
    name: 'outbox',
    deliver: async ({ notificationId, notification: { channel } }) => {
      logger.info({ notificationId, channel }, `${channel} notification delivered to the outbox`);
    },
  };
}

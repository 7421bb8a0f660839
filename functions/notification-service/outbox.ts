import type { Logger } from 'baton-tasks/service';
import type { Channel } from './channel.ts';

/** A channel that only writes a log line. The notification's row is its record. */
export function outbox(logger: Logger): Channel {
  return {
    name: 'outbox',
    deliver: async ({ notificationId, notification: { channel } }) => {
      logger.info({ notificationId, channel }, `${channel} notification delivered to the outbox`);
    },
  };
}

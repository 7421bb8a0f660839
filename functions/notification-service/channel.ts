import type { Notification } from '@baton/common/contracts/notifications';

/** A way out of the house for notifications. */
export interface Channel {
  /** Its name, kept with each notification that it delivered. */
  readonly name: string;
  /**
   * Delivers a notification, at most once for one id as far as the way allows it.
   *
   * @param signal - aborts when there is no more time for it
   * @throws RejectTask when no attempt can succeed; anything else to be tried again
   */
  deliver(notificationId: string, notification: Notification, signal: AbortSignal): Promise<void>;
}

import type { Notification } from '@baton/common/contracts/notifications';

/** A notification to deliver. */
export interface Delivery {
  readonly notificationId: string;
  readonly notification: Notification;
  /** When this service first saw it, ISO 8601. */
  readonly createdAt: string;
  /** Aborts when there is no more time for it. */
  readonly signal: AbortSignal;
}

/** A way to deliver notifications, such as SMTP. */
export interface Channel {
  /** Its name, kept with each notification that it delivered. */
  readonly name: string;
  /**
   * Delivers a notification, at most once for one id as far as the way allows it.
   *
   * @throws RejectTask when no attempt can succeed, PostponeTask when none is to be made now; anything else to be tried
   *   again
   */
  deliver(delivery: Delivery): Promise<void>;
}

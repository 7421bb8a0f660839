import type { Notification } from '@baton/common/contracts/notifications';

/** A notification to deliver. */
export interface Delivery {
  readonly notificationId: string;
  readonly notification: Notification;
  /** When this service first saw it, ISO 8601. */
  readonly createdAt: string;
  /** Aborts when its time is up. */
  readonly signal: AbortSignal;
}

/** A way to deliver notifications, such as SMTP. */
export interface Channel {
  /** Its name, kept with each notification that it delivered. */
  readonly name: string;
  /**
   * Delivers a notification. A channel that can tell the ids of notifications apart delivers each once.
   *
   * @throws RejectTask when no attempt can succeed, PostponeTask when the next one must wait; any other error means that
   *   the delivery is tried again
   */
  deliver(delivery: Delivery): Promise<void>;
}

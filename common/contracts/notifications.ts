import * as z from 'zod';
import { defineTask, type TaskEnd, taskEndSchema } from 'baton-tasks';
import { mailAddressSchema } from './mail-address.ts';

const message = z.string().min(1).max(10_000);
const subject = z.string().min(1).max(200);
const address = z.string().min(1).max(320);

/** A notification. An EMAIL goes to a mail address and needs a subject. An SMS or PUSH may have any recipient. */
export const notificationSchema = z.discriminatedUnion('channel', [
  z.object({ channel: z.literal('EMAIL'), recipient: mailAddressSchema, subject, message }),
  z.object({ channel: z.literal('SMS'), recipient: address, subject: subject.optional(), message }),
  z.object({ channel: z.literal('PUSH'), recipient: address, subject: subject.optional(), message }),
]);

/** A notification, checked. */
export type Notification = z.output<typeof notificationSchema>;

/** Record how a notification's task ended. Consumed by notification-service, because only it writes its table. */
export const recordNotificationEnd = defineTask({
  name: 'notifications.record-end',
  queue: 'notifications',
  payload: taskEndSchema,
  result: z.object({ recorded: z.boolean() }),
  retry: { maxAttempts: 8, baseSeconds: 5, capSeconds: 300 },
  timeoutSeconds: 20,
});

/** Send a notification. Its task id is the notification's id, so running the task twice gives one notification. */
export const sendNotification = defineTask({
  name: 'notifications.send',
  // 3: accepts every deliverable mail address, also with middle dots in its domain
  version: 3,
  queue: 'notifications',
  payload: notificationSchema,
  result: z.object({
    notificationId: z.string().min(1),
    deliveredBy: z.string().min(1),
    deliveredAt: z.iso.datetime(),
  }),
  retry: { maxAttempts: 6, baseSeconds: 30 },
  timeoutSeconds: 30,
  tracked: true,
  onEnd: recordNotificationEnd,
});

/** The effect that delivers a notification. Once it is kept, the notification has been delivered. */
export const DELIVERY = 'send';

/** Whether a notification was delivered. Its task may have been cancelled or have failed after that. */
export function wasDelivered({ state, effects = [] }: TaskEnd): boolean {
  return state === 'succeeded' || effects.includes(DELIVERY);
}

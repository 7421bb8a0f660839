import { hostname } from 'node:os';
import { sendNotification } from '@baton/common/contracts/notifications';
import { implement, Implementations } from '@baton/common/queue/implementation';
import { createLambdaConsumer } from '@baton/common/queue/lambda-consumer';
import { outbox } from './outbox.ts';
import packageJson from './package.json' with { type: 'json' };
import { logger, notifications, queueUrls, sqs, tasks } from './service.ts';

const channel = outbox(logger);

const deliverNotification = implement(sendNotification, async (notification, { taskId, signal }) => {
  const opened = await notifications.open(taskId, notification);
  if (opened.status !== 'delivered') await channel.deliver(taskId, notification, signal);
  const { deliveredAt = '', deliveredBy = '' } = await notifications.markDelivered(taskId, channel.name);
  return { notificationId: taskId, deliveredAt, deliveredBy };
});

/** Consumes the queue `notifications`. */
export const deliveries = createLambdaConsumer({
  sqs,
  queueUrls,
  send: tasks.send,
  logger,
  worker: { id: `notification-service@${hostname()}`, version: packageJson.version },
  implementations: new Implementations([deliverNotification]),
});

import { hostname } from 'node:os';
import { createLambdaConsumer } from 'baton-tasks/internal/lambda/lambda-consumer';
import { StoreTracker } from 'baton-tasks/internal/tracked/store-tracker';
import { notificationTasks } from './deliver-notification.ts';
import { outbox } from './outbox.ts';
import packageJson from './package.json' with { type: 'json' };
import {
  logger,
  notifications,
  queueUrls,
  smtp,
  sqs,
  tasks,
  taskStore,
  unknownTaskPatienceSeconds,
} from './service.ts';
import { SmtpChannel } from './smtp-channel.ts';

/** How long a crashed function keeps a task from being begun again. */
const CLAIM_SECONDS = 30;

const out = outbox(logger);
const mail = smtp ? new SmtpChannel({ ...smtp, logger }) : out;

/** Consumes the queue `notifications`. */
export const deliveries = createLambdaConsumer({
  sqs,
  queueUrls,
  send: tasks.send,
  tracker: new StoreTracker({
    store: taskStore,
    forward: tasks.forward,
    leaseSeconds: CLAIM_SECONDS,
    logger,
  }),
  logger,
  worker: { id: `notification-service@${hostname()}`, version: packageJson.version },
  unknownTaskPatienceSeconds,
  implementations: notificationTasks({ notifications, channels: { EMAIL: mail, SMS: out, PUSH: out } }),
});

import { createTrackedConsumer } from 'baton-tasks/service';
import { notificationTasks } from './deliver-notification.ts';
import { outbox } from './outbox.ts';
import { notifications, service } from './service.ts';
import { SmtpChannel } from './smtp-channel.ts';

const { config, logger } = service;
const { SMTP_URL: server } = service.secrets;
const out = outbox(logger);
const mail = server ? new SmtpChannel({ server, tls: config.SMTP_TLS, from: config.SMTP_FROM, logger }) : out;

/** Consumes the queue `notifications`. */
export const deliveries = createTrackedConsumer(
  service,
  notificationTasks({ notifications, channels: { EMAIL: mail, SMS: out, PUSH: out } }),
);

import { createTrackedConsumer } from 'baton-tasks/service';
import { notificationTasks } from './deliver-notification.ts';
import { outbox } from './outbox.ts';
import { notifications, service } from './service.ts';
import { SmtpChannel } from './smtp-channel.ts';

const { smtp } = service.config;
const out = outbox(service.logger);
const mail = smtp ? new SmtpChannel({ ...smtp, logger: service.logger }) : out;

/** Consumes the queue `notifications`. */
export const deliveries = createTrackedConsumer(
  service,
  notificationTasks({ notifications, channels: { EMAIL: mail, SMS: out, PUSH: out } }),
);

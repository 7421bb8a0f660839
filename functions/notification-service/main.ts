import { sendNotification } from '@baton/common/contracts/notifications';
import { runService } from 'baton-tasks/service';
import { handler } from './api.ts';
import { deliveries } from './handlers.ts';
import { notifications, service } from './service.ts';

const { tasks, taskStore } = service;

await runService(service, {
  handler,
  functions: { deliveries },
  ready: () => Promise.all([notifications.ping(), taskStore.ping(), tasks.ping(sendNotification)]),
});

import { sendNotification } from '@baton/common/contracts/notifications';
import { runService } from 'baton-tasks/service';
import { handler } from './api.ts';
import { deliveries } from './handlers.ts';
import { notifications, service } from './service.ts';

const { tasks, taskStore } = service;

await runService(service, {
  handler,
  functions: { deliveries },
  ready: {
    table: () => notifications.ping(),
    tasks: () => taskStore.ping(),
    queue: () => tasks.ping(sendNotification),
  },
});

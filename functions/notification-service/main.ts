import { orExit } from 'baton-tasks/internal/process/config';
import { sendNotification } from '@baton/common/contracts/notifications';
import { runServer } from 'baton-tasks/internal/http/run-server';
import { handler } from './api.ts';
import { readServerConfig } from './config.ts';
import { deliveries } from './handlers.ts';
import { logger, notifications, tasks, taskStore } from './service.ts';

const server = orExit(() => readServerConfig(process.env));

await runServer({
  ...server,
  handler,
  ready: () => Promise.all([notifications.ping(), taskStore.ping(), tasks.ping(sendNotification)]),
  functions: { deliveries },
  logger,
});

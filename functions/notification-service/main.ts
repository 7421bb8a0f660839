import { orExit } from '@baton/common/config';
import { sendNotification } from '@baton/common/contracts/notifications';
import { runServer } from '@baton/common/http/run-server';
import { handler } from './api.ts';
import { readServerConfig } from './config.ts';
import { logger, notifications, tasks, taskStore } from './service.ts';

const { HOST, PORT } = orExit(() => readServerConfig(process.env));

await runServer({
  handler,
  ready: () => Promise.all([notifications.ping(), taskStore.ping(), tasks.ping(sendNotification)]),
  host: HOST,
  port: PORT,
  logger,
});

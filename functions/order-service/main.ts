import { orExit } from 'baton-tasks/internal/process/config';
import { processOrder } from '@baton/common/contracts/orders';
import { runServer } from 'baton-tasks/internal/http/run-server';
import { handler } from './api.ts';
import { readServerConfig } from './config.ts';
import { orderOutcomes } from './handlers.ts';
import { logger, orders, tasks } from './service.ts';

const server = orExit(() => readServerConfig(process.env));

await runServer({
  ...server,
  handler,
  ready: () => Promise.all([orders.ping(), tasks.ping(processOrder)]),
  functions: { orderOutcomes },
  logger,
});

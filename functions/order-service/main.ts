import { orExit } from '@baton/common/config';
import { processOrder } from '@baton/common/contracts/orders';
import { runServer } from '@baton/common/http/run-server';
import { handler } from './api.ts';
import { readServerConfig } from './config.ts';
import { orderOutcomes } from './handlers.ts';
import { logger, orders, tasks } from './service.ts';

const { HOST, PORT, FUNCTIONS_PORT } = orExit(() => readServerConfig(process.env));

await runServer({
  handler,
  ready: () => Promise.all([orders.ping(), tasks.ping(processOrder)]),
  host: HOST,
  port: PORT,
  functions: { handlers: { orderOutcomes }, port: FUNCTIONS_PORT },
  logger,
});

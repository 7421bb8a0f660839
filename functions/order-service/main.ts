import { processOrder } from '@baton/common/contracts/orders';
import { runService } from 'baton-tasks/service';
import { handler } from './api.ts';
import { orderOutcomes } from './handlers.ts';
import { orders, service } from './service.ts';

await runService(service, {
  handler,
  functions: { orderOutcomes },
  ready: { table: () => orders.ping(), queue: () => service.tasks.ping(processOrder) },
});

import { Retention } from 'baton-tasks/http';
import { createService } from 'baton-tasks/service';
import { variables } from './config.ts';
import packageJson from './package.json' with { type: 'json' };
import { OrderStore } from './store.ts';

/** The service: its API, handlers and server share it. */
export const service = createService({
  name: 'order-service',
  version: packageJson.version,
  port: 8001,
  variables,
  tracks: true,
});
const { config, documents, logger } = service;
const retention = new Retention({ documents, days: config.ORDER_RETENTION_DAYS });
/** The service's own table. */
export const orders = new OrderStore({ documents, table: config.ORDERS_TABLE, logger, retention });

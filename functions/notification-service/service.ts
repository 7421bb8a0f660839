import { allContracts } from '@baton/common/contracts/all';
import { createService } from 'baton-tasks/service';
import { variables } from './config.ts';
import packageJson from './package.json' with { type: 'json' };
import { NotificationStore } from './store.ts';

/** The service: its API, handlers and server share it. */
export const service = createService({
  name: 'notification-service',
  version: packageJson.version,
  port: 8002,
  variables,
  tracks: true,
  contracts: allContracts,
});
/** The service's own table. */
export const notifications = new NotificationStore(service.documents, service.config.NOTIFICATIONS_TABLE);

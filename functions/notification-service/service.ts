import { allContracts } from '@baton/common/contracts/all';
import { Retention } from 'baton-tasks/http';
import { createService } from 'baton-tasks/service';
import { secrets, variables } from './config.ts';
import packageJson from './package.json' with { type: 'json' };
import { NotificationStore } from './store.ts';

/** The service: its API, handlers and server share it. */
export const service = createService({
  name: 'notification-service',
  version: packageJson.version,
  port: 8002,
  variables,
  secrets,
  tracks: true,
  contracts: allContracts,
});
const { config, documents } = service;
/** How long notifications are kept. */
export const retention = new Retention({ documents, days: config.NOTIFICATION_RETENTION_DAYS });
/** The service's own table. */
export const notifications = new NotificationStore(documents, config.NOTIFICATIONS_TABLE, retention);

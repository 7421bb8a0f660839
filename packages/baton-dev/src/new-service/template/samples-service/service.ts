import { allContracts } from '@baton/common/contracts/all';
import { Retention } from 'baton-tasks/http';
import { createService } from 'baton-tasks/service';
import { variables } from './config.ts';
import packageJson from './package.json' with { type: 'json' };
import { SampleStore } from './store.ts';

/** The service: its API, handlers and server share it. */
export const service = createService({
  name: 'samples-service',
  version: packageJson.version,
  port: 8999,
  variables,
  tracks: true,
  contracts: allContracts,
});
const { config, documents, logger } = service;
const retention = new Retention({ documents, days: config.SAMPLES_RETENTION_DAYS });
/** The service's own table. */
export const samples = new SampleStore({ documents, table: config.SAMPLES_TABLE, logger, retention });

import { allContracts } from '@baton/common/contracts/all';
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
/** The service's own table. */
export const samples = new SampleStore(service.documents, service.config.SAMPLES_TABLE, service.logger);

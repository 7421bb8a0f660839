import { allContracts } from '@baton/common/contracts/all';
import { createService, TaskHistory } from 'baton-tasks/service';
import packageJson from './package.json' with { type: 'json' };

/** The service: its API and server share it. */
export const service = createService({
  name: 'task-service',
  version: packageJson.version,
  port: 8003,
  tracks: true,
  contracts: allContracts,
});
/** The lists of the task store. */
export const history = new TaskHistory(service.documents, service.tasksTable);

// First, so that it counts signals which arrive while the other modules load
import { runWorker } from 'baton-tasks/worker';
import { extname } from 'node:path';
import { allContracts } from '@baton/common/contracts/all';
import { scheduledContracts } from '@baton/common/contracts/scheduled';
import { allTasks } from '@baton/common/tasks/all';

await runWorker({
  implementations: allTasks,
  contracts: allContracts,
  scheduled: scheduledContracts,
  // In a bundle, the file of the thread has the same ending as this one
  thread: new URL(`./thread${extname(import.meta.filename)}`, import.meta.url),
});

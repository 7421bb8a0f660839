// First: it notes the signals that come while the rest is loaded
import { runWorker } from 'baton-tasks/worker';
import { extname } from 'node:path';
import { scheduledContracts } from '@baton/common/contracts/scheduled';
import { allTasks } from '@baton/common/tasks/all';

await runWorker({
  implementations: allTasks,
  scheduled: scheduledContracts,
  // A bundle of this file has the thread's beside it, with an ending of its own
  thread: new URL(`./thread${extname(import.meta.filename)}`, import.meta.url),
});

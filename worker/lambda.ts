import { allContracts } from '@baton/common/contracts/all';
import { allTasks } from '@baton/common/tasks/all';
import { createWorkerFunction } from 'baton-tasks/worker';

/** The worker's implementations under Lambda's event source for SQS, where no worker process runs. */
export const handler = createWorkerFunction(allTasks, { contracts: allContracts });

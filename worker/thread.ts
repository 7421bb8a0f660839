import { allTasks } from '@baton/common/tasks/all';
import { threadEntry } from 'baton-tasks/worker';

/** The implementations that the worker's threads run. A bundle of main.ts needs a bundle of this file, named `thread`, beside it. */
export default threadEntry(allTasks);

import { allTasks } from '@baton/common/tasks/all';
import { threadEntry } from 'baton-tasks/worker';

/** What the worker's threads run. A bundle of main.ts needs one of this file beside it, of this name. */
export default threadEntry(allTasks);

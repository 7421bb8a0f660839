import { allTasks } from '@baton/common/tasks/all';
import { threadEntry } from 'baton-tasks/internal/worker/threads/thread-entry';

/** The entry of the threads of the house's workers. A bundle of main.ts needs one of this file beside it, of this name. */
export default threadEntry(allTasks);

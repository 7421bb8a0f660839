import { threadEntry } from 'baton-tasks/internal/worker/threads/thread-entry';
import { threadTwins } from './twins.ts';

/** The entry of the threads of twins. */
export default threadEntry(threadTwins);

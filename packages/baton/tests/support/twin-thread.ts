import { threadEntry } from 'baton-tasks/worker';
import { threadTwins } from './twins.ts';

/** The entry of the threads of twins. */
export default threadEntry(threadTwins);

import { threadEntry } from 'baton-tasks/worker';
import { threadTwins } from './twins.ts';

/** The entry of threads that run `threadTwins`. */
export default threadEntry(threadTwins);

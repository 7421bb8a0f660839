import { threadEntry } from '@baton/worker/thread-entry';
import { threadTwins } from './twins.ts';

/** The entry of the threads of twins. */
export default threadEntry(threadTwins);

import { threadEntry } from '@baton/worker/thread-entry';
import { threadImplementations } from './thread-tasks.ts';

/** The entry of a test worker's threads. */
export default threadEntry(threadImplementations);

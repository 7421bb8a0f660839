import { Implementations } from '@baton/common/queue/implementation';
import { threadEntry } from '@baton/worker/thread-entry';
import { poisonTasks } from './poison.ts';
import { threadTasks } from './thread-tasks.ts';

/** The entry of a test worker's threads. */
export default threadEntry(new Implementations([...threadTasks, ...poisonTasks]));

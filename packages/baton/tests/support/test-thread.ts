import { threadEntry } from 'baton-tasks/worker';
import { poisonTasks } from './poison.ts';
import { threadTasks } from './thread-tasks.ts';

/** The entry of a test worker's threads. */
export default threadEntry([...threadTasks, ...poisonTasks]);

import { Implementations } from 'baton-tasks/internal/task/implementation';
import { threadEntry } from 'baton-tasks/internal/worker/threads/thread-entry';
import { poisonTasks } from './poison.ts';
import { threadTasks } from './thread-tasks.ts';

/** The entry of a test worker's threads. */
export default threadEntry(new Implementations([...threadTasks, ...poisonTasks]));

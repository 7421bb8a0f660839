import { AsyncLocalStorage } from 'node:async_hooks';
import { type Implementation, Implementations } from '../../task/implementation.ts';
import { QueueUrls } from '../../sqs/queue-urls.ts';
import { createSqsClient } from '../../sqs/sqs-client.ts';
import { type SendTask } from '../../task/send-task.ts';
import { TaskClient } from '../../send/task-client.ts';
import { createDocumentClient } from '../../aws/documents.ts';
import { TaskStore } from '../../tracked/task-store.ts';
import { ThreadAttempt } from './thread-attempt.ts';
import { ThreadGuard } from './thread-guard.ts';
import type { ThreadSender, ThreadTask } from './thread-task.ts';

/** What a thread's entry exports as its default. */
export type ThreadEntry = (task: ThreadTask) => Promise<void>;

/** What one handler's send sets up, such as connections, serves the next ones: it belongs to no attempt. */
const outsideOfAttempts = AsyncLocalStorage.snapshot();
let client: TaskClient | undefined;
let guard: ThreadGuard | undefined;

/**
 * Makes the entry of a worker's threads: it runs the handler that a task names, and answers by the task's port.
 *
 * @param implementations - the same as the worker's own, or those of them at least that want a thread
 */
export function threadEntry(implementations: readonly Implementation[]): ThreadEntry {
  const known = new Implementations(implementations);
  return async (task) => {
    guard ??= new ThreadGuard(task.log);
    const earlier = guard.begins();
    const send: SendTask = (...args) => clientOf(task.sender).send(...args);
    await new ThreadAttempt(task, send).run(known, earlier);
    guard.ends();
  };
}

function clientOf(sender: ThreadSender): TaskClient {
  client ??= outsideOfAttempts(newClient, sender);
  return client;
}

function newClient({ queueUrlPrefix, source, tasksTable }: ThreadSender): TaskClient {
  return new TaskClient({
    sqs: createSqsClient(),
    queueUrls: new QueueUrls(queueUrlPrefix),
    source,
    ...(tasksTable !== undefined && {
      records: new TaskStore({ documents: createDocumentClient(), table: tasksTable }),
    }),
  });
}

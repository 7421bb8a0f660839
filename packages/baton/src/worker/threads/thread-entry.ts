// The entry of a worker's threads.
import { AsyncLocalStorage } from 'node:async_hooks';
import { type Implementation, Implementations } from '../../task/implementation.ts';
import { QueueUrls } from '../../sqs/queue-urls.ts';
import { signaturesBy } from '../../sqs/signatures.ts';
import { createSqsClient } from '../../sqs/sqs-client.ts';
import { type SendTask } from '../../task/send-task.ts';
import { TaskClient } from '../../send/task-client.ts';
import { createDocumentClient } from '../../aws/documents.ts';
import { readSigning } from '../../aws/signing.ts';
import { TaskStore } from '../../tracked/task-store.ts';
import { ThreadAttempt } from './thread-attempt.ts';
import { ThreadGuard } from './thread-guard.ts';
import type { ThreadSender, ThreadTask } from './thread-task.ts';

/** The default export of a thread's entry file. */
export type ThreadEntry = (task: ThreadTask) => Promise<void>;

/** A context outside of attempts, for what the first send sets up, such as connections: later handlers use it too. */
const outsideOfAttempts = AsyncLocalStorage.snapshot();
let client: TaskClient | undefined;
let guard: ThreadGuard | undefined;

/**
 * Makes the entry of a worker's threads. It runs the handler that a task names, and answers through the task's port.
 *
 * @param implementations - the worker's implementations, or at least those with the isolation `thread`
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
  const sqs = createSqsClient();
  // A thread has the environment of its worker
  const signatures = signaturesBy(readSigning(process.env, () => sqs.config.credentials()));
  return new TaskClient({
    sqs,
    queueUrls: new QueueUrls(queueUrlPrefix),
    source,
    signatures,
    ...(tasksTable !== undefined && {
      records: new TaskStore({ documents: createDocumentClient(), table: tasksTable, signatures }),
    }),
  });
}

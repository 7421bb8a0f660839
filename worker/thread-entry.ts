import type { MessagePort } from 'node:worker_threads';
import { effectOf } from '@baton/common/queue/effect';
import type { Implementations, TaskContext } from '@baton/common/queue/implementation';
import { fromPlain, toPlain } from '@baton/common/queue/plain-error';
import { QueueUrls } from '@baton/common/queue/queue-urls';
import { createSqsClient } from '@baton/common/queue/sqs-client';
import { TaskClient } from '@baton/common/queue/task-client';
import { createDocumentClient } from '@baton/common/state/documents';
import { TaskStore } from '@baton/common/state/task-store';
import { createLogger, type Logger } from '@baton/common/telemetry/logger';
import { readThrown } from '@baton/common/telemetry/thrown';
import { ThreadClaim } from './thread-claim.ts';
import type { FromThread, ThreadSender, ThreadTask, ToThread } from './thread-task.ts';

/** What a thread's entry exports as its default. */
export type ThreadEntry = (task: ThreadTask) => Promise<void>;

let client: TaskClient | undefined;

/**
 * Makes the entry of a worker's threads: it runs the handler that a task names, and answers by the task's port.
 *
 * @param implementations - the same as the worker's own, or those of them at least that want a thread
 */
export function threadEntry(implementations: Implementations): ThreadEntry {
  return async (task) => {
    const { port } = task;
    const attempt = new AbortController();
    port.on('message', (message: ToThread) => {
      if (message.kind === 'abort') attempt.abort(fromPlain(message.reason));
    });
    try {
      answer(port, task.task, await handle(task, implementations, attempt.signal));
    } catch (error) {
      post(port, { kind: 'failure', error: toPlain(error) });
    }
  };
}

function handle(task: ThreadTask, implementations: Implementations, signal: AbortSignal): unknown {
  const implementation = implementations.find(task.task);
  if (!implementation) throw new Error(`The entry of the worker's threads has no ${task.task}`);
  const { trace, depth, sender, port, tracked } = task;
  const { taskId, attempt } = task.context;
  const named = { task: task.task, taskId, attempt };
  const claim = new ThreadClaim(port);
  const context: TaskContext = {
    ...task.context,
    signal,
    logger: loggerOf(task),
    send: async (contract, payload, options) => {
      await claim.gate(`the send of ${contract.name}`);
      return clientOf(sender).send(contract, payload, { trace, parentId: taskId, depth, ...options });
    },
    ...(tracked && { progress: claim.progress, effect: effectOf(claim, named, claim.gate) }),
  };
  // The worker has checked the same data; what the schema makes of it need not be able to cross
  return implementation.run(implementation.contract.payload.parse(task.data), context);
}

/** Lines go to the worker, which writes its own to the same place: two writers would mix them up. */
function loggerOf({ log: { level, fields }, port }: ThreadTask): Logger {
  const { service, ...own } = fields;
  const to = { write: (line: string) => post(port, { kind: 'line', line }) };
  return createLogger({ service: String(service), level, to }).child(own);
}

function clientOf({ queueUrlPrefix, source, tasksTable }: ThreadSender): TaskClient {
  client ??= new TaskClient({
    sqs: createSqsClient(),
    queueUrls: new QueueUrls(queueUrlPrefix),
    source,
    ...(tasksTable !== undefined && {
      records: new TaskStore({ documents: createDocumentClient(), table: tasksTable }),
    }),
  });
  return client;
}

/** @throws TypeError when the result cannot be cloned */
function answer(port: MessagePort, task: string, result: unknown): void {
  try {
    post(port, { kind: 'result', result });
  } catch (cause) {
    throw new TypeError(`The result of ${task} cannot leave its thread: ${readThrown(cause).message}`, {
      cause,
    });
  }
}

function post(port: MessagePort, message: FromThread): void {
  port.postMessage(message);
}

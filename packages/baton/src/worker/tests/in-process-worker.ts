import { ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import type { Implementations } from '../../task/implementation.ts';
import { processMessage } from '../../run/process-message.ts';
import { fromReceive } from '../../sqs/received-message.ts';
import { Settler } from '../../sqs/settler.ts';
import type { TaskClient } from '../../send/task-client.ts';
import { StoreTracker } from '../../tracked/store-tracker.ts';
import type { TaskStore } from '../../tracked/task-store.ts';
import { createLogger } from '../../telemetry/logger.ts';
import type { Backends } from '../../../tests/support/backends.ts';

/** Runs all messages of the queue `default`, and all that they send to it, one after the other, as a worker does. */
export async function runQueue(
  { sqs, queueUrls }: Backends,
  store: TaskStore,
  tasks: TaskClient,
  implementations: Implementations,
): Promise<void> {
  const logger = createLogger({ service: 'tests', level: 'silent' });
  const settler = new Settler(sqs, queueUrls, 'default');
  const processing = {
    implementations,
    send: tasks.send,
    tracker: new StoreTracker({ store, forward: tasks.forward, leaseSeconds: 30, logger }),
    logger,
    worker: { id: 'w-1', version: '1' },
    unknownTaskPatienceSeconds: 600,
    abortGraceSeconds: 1,
  };
  const host = { signal: new AbortController().signal, outlivedBy: () => undefined };
  for (;;) {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: queueUrls.of('default'),
        MaxNumberOfMessages: 10,
        MessageAttributeNames: ['All'],
      }),
    );
    if (Messages.length === 0) return;
    for (const message of Messages.map(fromReceive))
      await settler.settle(message, await processMessage(message, 'default', host, processing), 'w-1');
  }
}

import { createLogger } from 'baton-tasks/service';
import {
  createDocumentClient,
  createLambdaConsumer,
  createSqsClient,
  encodeEnvelope,
  Implementations,
  QueueUrls,
  StoreTracker,
  TaskStore,
} from 'baton-tasks/tooling';
import type { SQSRecord } from 'aws-lambda';
import { poison, poisonTasks } from './poison.ts';

/** Invokes a function once with a batch of poison and good records, in a runtime with its own error listener. */
async function run(): Promise<void> {
  process.on('uncaughtException', (error) => process.stdout.write(`runtime ${error.message}\n`));
  const logger = createLogger({ service: 'function' });
  const store = new TaskStore({ documents: createDocumentClient(), table: process.env['TASKS_TABLE'] ?? '' });
  const consumer = createLambdaConsumer({
    sqs: createSqsClient(),
    queueUrls: new QueueUrls(process.env['QUEUE_URL_PREFIX'] ?? ''),
    send: (async () => ({ taskId: '' })) as never,
    tracker: new StoreTracker({ store, forward: async () => undefined, leaseSeconds: 30, logger }),
    logger,
    worker: { id: 'function', version: '1' },
    implementations: new Implementations(poisonTasks),
  });
  const hows = [
    'rejection while it runs',
    'throw elsewhere',
    'throw in a timer',
    'process.exit',
    'process.abort',
    'signal to itself',
  ];
  const answer = await consumer(
    { Records: hows.map((how, index) => recordOf(how, `record-${index}`)) },
    { getRemainingTimeInMillis: () => 60_000 },
  );
  process.stdout.write(`answer ${JSON.stringify(answer)}\n`);
  process.exit(0);
}

function recordOf(how: string, id: string): SQSRecord {
  const time = new Date().toISOString();
  const ids = { messageId: id, receiptHandle: id };
  const body = encodeEnvelope({
    taskId: id,
    task: poison.name,
    source: 'tests',
    time,
    trace: undefined,
    data: { how },
  });
  const sent = {
    SentTimestamp: String(Date.now()),
    ApproximateFirstReceiveTimestamp: String(Date.now()),
    SenderId: '',
  };
  const attributes = { ...sent, ApproximateReceiveCount: '1' };
  const source = {
    eventSource: 'aws:sqs',
    eventSourceARN: 'arn:aws:sqs:us-east-1:000000000000:default',
    awsRegion: 'us-east-1',
  };
  return { ...ids, body, attributes, messageAttributes: {}, md5OfBody: '', ...source };
}

await run();

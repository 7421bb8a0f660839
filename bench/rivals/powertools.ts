import { DeleteMessageBatchCommand, type Message, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import middy from '@middy/core';
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { cannot, type Job, ready, settings, Work } from '../protocol.ts';
import { exitOnSigterm } from './shutdown.ts';
import { receivesOfQueue, sqsClient } from './sqs.ts';

// Middy and Powertools for AWS Lambda, called the way that Lambda's poller calls a function: with up to ten messages,
// of which those are deleted that it does not report as failed.

const client = sqsClient();
const work = new Work(settings);
const context = { functionName: 'bench', awsRequestId: 'bench' } as Context;
const stop = new AbortController();
let underWay = 0;

type Handler = (event: SQSEvent, context: Context) => Promise<SQSBatchResponse>;

/** One for each loop: outside Lambda a processor keeps what it is at in itself, as Lambda runs one event at a time. */
function handlerOf(): Handler {
  // `BatchProcessor` is the one that runs a batch's records at once (README, "Async processing")
  const processor = new BatchProcessor(EventType.SQS);
  const record = async ({ body }: SQSRecord): Promise<void> => work.run(JSON.parse(body) as Job);
  return middy<SQSEvent, SQSBatchResponse>().handler(async (event: SQSEvent, of: Context) =>
    processPartialResponse(event, record, processor, { context: of }),
  );
}

function recordOf(message: Message): SQSRecord {
  return {
    messageId: message.MessageId ?? '',
    receiptHandle: message.ReceiptHandle ?? '',
    body: message.Body ?? '',
    attributes: {} as SQSRecord['attributes'],
    messageAttributes: {},
    md5OfBody: message.MD5OfBody ?? '',
    eventSource: 'aws:sqs',
    eventSourceARN: 'arn:aws:sqs:us-east-1:000000000000:bench',
    awsRegion: 'us-east-1',
  };
}

async function poll(queueUrl: string, size: number, handler: Handler): Promise<void> {
  while (!stop.signal.aborted) {
    const { Messages: messages = [] } = await client.send(
      new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: size, WaitTimeSeconds: 20 }),
    );
    if (messages.length === 0) continue;
    underWay += messages.length;
    await handle(queueUrl, messages, handler);
    underWay -= messages.length;
  }
}

async function handle(queueUrl: string, messages: Message[], handler: Handler): Promise<void> {
  const { batchItemFailures } = await handler({ Records: messages.map(recordOf) }, context);
  const failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
  const entries = messages
    .filter(({ MessageId = '' }) => !failed.has(MessageId))
    .map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
  await client.send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries: entries }));
}

if (settings.role === 'send') cannot('middy and Powertools send nothing');
const { count, size } = receivesOfQueue();
exitOnSigterm(
  () => stop.abort(),
  () => underWay,
);
await ready();
await Promise.all(
  settings.queueUrls.flatMap((url) => Array.from({ length: count }, () => poll(url, size, handlerOf()))),
);

import type { Message } from '@aws-sdk/client-sqs';
import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import middy from '@middy/core';
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { type Job, settings, Work } from '../protocol.ts';
import { type HandleMessages, pollQueues, sendBySdk } from './sqs.ts';

// The program of middy and Powertools for AWS Lambda. As Lambda's poller does, it calls the handler with up to ten
// messages and deletes those that the handler does not report as failed. The SDK sends: these libraries cannot.

if (settings.role === 'send') await sendBySdk();

const work = new Work(settings);
const context = { functionName: 'bench', awsRequestId: 'bench' } as Context;

/** A handler for one loop. Each needs its own processor, which has state: Lambda runs one event at a time. */
function handlerOf(): HandleMessages {
  // `BatchProcessor` runs the records of a batch concurrently (README, "Async processing")
  const processor = new BatchProcessor(EventType.SQS);
  const record = ({ body }: SQSRecord): Promise<void> => work.run(JSON.parse(body) as Job);
  const handler = middy<SQSEvent, SQSBatchResponse>().handler(async (event: SQSEvent, of: Context) =>
    processPartialResponse(event, record, processor, { context: of }),
  );
  return async (messages) => {
    const { batchItemFailures } = await handler({ Records: messages.map(recordOf) }, context);
    const failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
    return messages.filter(({ MessageId = '' }) => !failed.has(MessageId));
  };
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

await pollQueues(handlerOf);

import { type Either, globalLogger, NoopObservabilityManager } from '@lokalise/node-core';
import { MessageHandlerConfigBuilder } from '@message-queue-toolkit/core';
import {
  AbstractSqsConsumer,
  AbstractSqsPublisher,
  SqsConsumerErrorResolver,
} from '@message-queue-toolkit/sqs';
import { z } from 'zod';
import { type Job, ready, sendAll, settings, Work } from '../protocol.ts';
import { exitOnSigterm } from './shutdown.ts';
import { type Receives, receivesOfQueue, sqsClient } from './sqs.ts';

// The program of Lokalise's message-queue-toolkit, which adds schemas and typed handlers to a version of sqs-consumer

const MESSAGE = z.object({
  id: z.number(),
  ms: z.number(),
  sentAtMs: z.number(),
  pad: z.string().optional(),
  timestamp: z.string().optional(),
});
type Message = z.infer<typeof MESSAGE>;

const dependencies = {
  sqsClient: sqsClient(),
  // `logMessages` is off by default, so it does not log successful messages
  logger: globalLogger,
  errorReporter: { report: ({ error }: { error: Error }) => globalLogger.error(error) },
};
// All messages have one type, so the library need not inspect each one (README, "messageTypeResolver")
const messageTypeResolver = { literal: 'bench.job' };
const work = new Work(settings);
let underWay = 0;

async function handle(job: Message): Promise<Either<'retryLater', 'success'>> {
  underWay++;
  await work.run(job);
  underWay--;
  return { result: 'success' };
}

class JobsConsumer extends AbstractSqsConsumer<Message, undefined> {
  constructor(queueUrl: string, { count, size }: Receives) {
    super(
      {
        ...dependencies,
        consumerErrorResolver: new SqsConsumerErrorResolver(),
        transactionObservabilityManager: new NoopObservabilityManager(),
      },
      {
        messageTypeResolver,
        locatorConfig: { queueUrl },
        handlers: new MessageHandlerConfigBuilder<Message, undefined>().addConfig(MESSAGE, handle).build(),
        // The number of sqs-consumer instances that poll (README, "Concurrent consumers for high throughput")
        concurrentConsumersAmount: count,
        consumerOverrides: { batchSize: size },
      },
      undefined,
    );
  }
}

class JobsPublisher extends AbstractSqsPublisher<Message> {
  constructor(queueUrl: string) {
    super(dependencies, { messageTypeResolver, messageSchemas: [MESSAGE], locatorConfig: { queueUrl } });
  }
}

const { queueUrls } = settings;
if (settings.role === 'work') {
  const receives = receivesOfQueue();
  const consumers = queueUrls.map((url) => new JobsConsumer(url, receives));
  exitOnSigterm(
    () => consumers.map((consumer) => consumer.close()),
    () => underWay,
  );
  await ready();
  await Promise.all(consumers.map((consumer) => consumer.start()));
} else {
  const publisher = new JobsPublisher(queueUrls[0] ?? '');
  await publisher.init();
  await ready();
  // The library would add a missing time, with a warning for each message
  const send = (job: Job): Promise<void> =>
    publisher.publish({ ...job, timestamp: new Date().toISOString() });
  await sendAll(settings, send);
  process.exit(0);
}

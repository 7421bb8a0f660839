import type { Message } from '@aws-sdk/client-sqs';
import { Consumer, type ConsumerOptions } from 'sqs-consumer';
import { Producer } from 'sqs-producer';
import { type Job, ready, sendAll, settings, Work } from '../protocol.ts';
import { exitOnSigterm } from './shutdown.ts';
import { receivesOfQueue, sqsClient } from './sqs.ts';

// The program of BBC's sqs-consumer, with sqs-producer to send. BENCH_VARIANT=batch uses the batch handler

const sqs = sqsClient();
const work = new Work(settings);
let underWay = 0;

const jobOf = ({ Body: body = '' }: Message): Job => JSON.parse(body) as Job;

async function handleMessage(message: Message): Promise<Message> {
  await work.run(jobOf(message));
  // The library deletes only the returned message (README, "Message Acknowledgment Behavior")
  return message;
}

async function handleMessageBatch(messages: Message[]): Promise<Message[]> {
  await Promise.all(messages.map((message) => work.run(jobOf(message))));
  return messages;
}

function consumerOf(queueUrl: string, batchSize: number): Consumer {
  const handler: Pick<ConsumerOptions, 'handleMessage' | 'handleMessageBatch'> =
    process.env['BENCH_VARIANT'] === 'batch' ? { handleMessageBatch } : { handleMessage };
  const consumer = Consumer.create({ queueUrl, sqs, batchSize, ...handler });
  consumer.on('message_received', () => underWay++);
  consumer.on('message_processed', () => underWay--);
  consumer.on('error', ({ message }) => console.error(message));
  consumer.on('processing_error', ({ message }) => console.error(message));
  return consumer;
}

/** Consumers for up to ten messages each: "You can start multiple instances of the consumer" (bbc/sqs-consumer#229). */
function consumers(): Consumer[] {
  const { count, size } = receivesOfQueue();
  return settings.queueUrls.flatMap((url) => Array.from({ length: count }, () => consumerOf(url, size)));
}

if (settings.role === 'work') {
  const all = consumers();
  exitOnSigterm(
    () => all.forEach((consumer) => consumer.stop()),
    () => underWay,
  );
  await ready();
  for (const consumer of all) consumer.start();
} else {
  const [queueUrl = ''] = settings.queueUrls;
  const producer = Producer.create({ queueUrl, sqs });
  await ready();
  await sendAll(
    settings,
    (job) => producer.send({ id: String(job.id), body: JSON.stringify(job) }),
    (jobs) => producer.send(jobs.map((job) => ({ id: String(job.id), body: JSON.stringify(job) }))),
  );
  process.exit(0);
}

import {
  DeleteMessageBatchCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { type Job, ready, sendAll, settings, Work } from '../protocol.ts';
import { exitOnSigterm } from './shutdown.ts';
import { receivesOfQueue, sqsClient } from './sqs.ts';

// The floor: what SQS itself costs a program that does nothing for its user, as a loop of the AWS SDK's own calls.

const client = sqsClient();
const stop = new AbortController();
let underWay = 0;

async function loop(of: SQSClient, queueUrl: string, size: number, work: Work): Promise<void> {
  while (!stop.signal.aborted) {
    const { Messages: messages = [] } = await of.send(
      new ReceiveMessageCommand({
        QueueUrl: queueUrl,
        MaxNumberOfMessages: size,
        WaitTimeSeconds: 20,
      }),
    );
    if (messages.length > 0) await handle(of, queueUrl, messages, work);
  }
}

async function handle(of: SQSClient, queueUrl: string, messages: Message[], work: Work): Promise<void> {
  underWay += messages.length;
  await Promise.all(messages.map(({ Body: body = '' }) => work.run(JSON.parse(body) as Job)));
  await of.send(
    new DeleteMessageBatchCommand({
      QueueUrl: queueUrl,
      Entries: messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle })),
    }),
  );
  underWay -= messages.length;
}

if (settings.role === 'work') {
  const work = new Work(settings);
  const { count, size } = receivesOfQueue();
  exitOnSigterm(
    () => stop.abort(),
    () => underWay,
  );
  await ready();
  const loops = settings.queueUrls.flatMap((url) =>
    Array.from({ length: count }, () => loop(client, url, size, work)),
  );
  await Promise.all(loops);
} else {
  const [QueueUrl] = settings.queueUrls;
  await ready();
  await sendAll(
    settings,
    (job) => client.send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(job) })),
    (jobs) =>
      client.send(
        new SendMessageBatchCommand({
          QueueUrl,
          Entries: jobs.map((job, index) => ({ Id: String(index), MessageBody: JSON.stringify(job) })),
        }),
      ),
  );
  process.exit(0);
}

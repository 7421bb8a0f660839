import {
  DeleteMessageBatchCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { UndiciHttpHandler } from '@smithy/undici-http-handler';
import { ready, sendAll, settings } from '../protocol.ts';
import { exitOnSigterm } from './shutdown.ts';

/**
 * The client that every rival in Node gets, the fastest that the AWS SDK has: so that they differ by what they do with
 * it alone. Region, credentials and endpoint come from the environment.
 */
export function sqsClient(): SQSClient {
  return new SQSClient({
    // Takes about a quarter off the CPU of each call, against the SDK's own choice
    requestHandler: new UndiciHttpHandler(),
    // Bodies are not checked against their digests: TCP has checked them, and TLS where it matters
    md5: false,
  });
}

/** How a queue is polled. */
export interface Receives {
  /** Under way at one time. */
  readonly count: number;
  /** Messages that each asks for, 1 to 10: `MaxNumberOfMessages`. */
  readonly size: number;
}

/**
 * Spreads the tasks that may run at one time over a queue's receives. A program that waits for all messages of a receive
 * before it asks again is fastest with tens where tasks take no time, and with ones (BENCH_RECEIVE=1) where one of them
 * may hold up nine.
 */
export function receivesOfQueue(): Receives {
  const most = Number(process.env['BENCH_RECEIVE'] ?? 10);
  const tasks = Math.max(1, Math.floor(settings.concurrency / settings.queueUrls.length));
  const count = Math.ceil(tasks / most);
  return { count, size: Math.min(most, Math.floor(tasks / count)) };
}

/** Runs the messages of one receive, and resolves to those that are to be deleted. */
export type HandleMessages = (messages: Message[]) => Promise<Message[]>;

/**
 * Polls the queues for as long as the program runs: `count` loops a queue, each of which receives, has its messages run
 * and deletes them at once.
 *
 * @param handlerOf called for each loop
 */
export async function pollQueues(handlerOf: () => HandleMessages): Promise<void> {
  const client = sqsClient();
  const stop = new AbortController();
  const { count, size } = receivesOfQueue();
  let underWay = 0;
  exitOnSigterm(
    () => stop.abort(),
    () => underWay,
  );
  const loop = async (QueueUrl: string, handle: HandleMessages): Promise<void> => {
    const request = { QueueUrl, MaxNumberOfMessages: size, WaitTimeSeconds: 20 };
    let deleted: Promise<unknown> = Promise.resolve();
    while (!stop.signal.aborted) {
      const { Messages: messages = [] } = await client.send(new ReceiveMessageCommand(request));
      if (messages.length === 0) continue;
      underWay += messages.length;
      const done = await handle(messages);
      // The next receive does not wait for this: it takes a sixth off the CPU of a task
      await deleted;
      deleted = deleteAll(client, QueueUrl, done).finally(() => (underWay -= messages.length));
    }
  };
  await ready();
  const { queueUrls } = settings;
  await Promise.all(queueUrls.flatMap((url) => Array.from({ length: count }, () => loop(url, handlerOf()))));
}

async function deleteAll(client: SQSClient, QueueUrl: string, messages: Message[]): Promise<void> {
  if (messages.length === 0) return;
  const Entries = messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
  await client.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
}

/** Sends the tasks by the AWS SDK alone, and ends the program. */
export async function sendBySdk(): Promise<never> {
  const client = sqsClient();
  const [QueueUrl] = settings.queueUrls;
  await ready();
  await sendAll(
    settings,
    (job) => client.send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(job) })),
    async (jobs) => {
      const Entries = jobs.map((job, index) => ({ Id: String(index), MessageBody: JSON.stringify(job) }));
      await client.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
    },
  );
  process.exit(0);
}

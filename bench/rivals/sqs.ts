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
 * The SQS client of every rival in Node: the fastest setup of the AWS SDK, so that rivals differ only in how they use
 * it. Region, credentials and endpoint come from the environment.
 */
export function sqsClient(): SQSClient {
  return new SQSClient({
    // Saves about a quarter of each call's CPU, compared with the SDK's default
    requestHandler: new UndiciHttpHandler(),
    // No check of digests: TCP checks the bodies, and TLS does on AWS
    md5: false,
  });
}

/** The receives of a queue. */
export interface Receives {
  /** Receives in flight at the same time. */
  readonly count: number;
  /** Messages per receive, 1 to 10: `MaxNumberOfMessages`. */
  readonly size: number;
}

/**
 * Divides the concurrency into a queue's receives. These programs wait for all messages of a receive before the next
 * one. So receives of ten are fastest for tasks that take no time. If one slow task would delay nine others, receives
 * of one are fastest (BENCH_RECEIVE=1).
 */
export function receivesOfQueue(): Receives {
  const most = Number(process.env['BENCH_RECEIVE'] ?? 10);
  const tasks = Math.max(1, Math.floor(settings.concurrency / settings.queueUrls.length));
  const count = Math.ceil(tasks / most);
  return { count, size: Math.min(most, Math.floor(tasks / count)) };
}

/** Handles the messages of one receive, and resolves to those to delete. */
export type HandleMessages = (messages: Message[]) => Promise<Message[]>;

/**
 * Polls the queues until the program ends, in `count` loops for each queue. Each loop receives, handles and deletes.
 *
 * @param handlerOf - makes the handler of each loop
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
      // The next receive does not wait for the delete: that saves a sixth of the CPU per task
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

/** Sends the tasks with the plain AWS SDK, and ends the program. */
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

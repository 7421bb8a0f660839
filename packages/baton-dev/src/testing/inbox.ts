// Receives the messages of queues, for tests.
import { decodeEnvelope, type Envelope } from 'baton-tasks/tooling';
import { type Message, ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';

const HIDDEN_SECONDS = 600;

/** The envelope of a message. */
export type { Envelope };

/** Takes messages out of queues, each once, although a standard queue may deliver one twice. */
export class Inbox {
  readonly #sqs: SQSClient;
  readonly #seen = new Set<string | undefined>();

  constructor(sqs: SQSClient) {
    this.#sqs = sqs;
  }

  /** The same as `take`, read: the tasks that the messages carry. */
  async takeTasks(QueueUrl: string, waitSeconds = 0): Promise<Envelope[]> {
    const messages = await this.take(QueueUrl, waitSeconds);
    return messages.map(({ Body = '' }) => decodeEnvelope(Body));
  }

  /** The new messages of a queue, which are hidden from now on. Waits up to `waitSeconds` for a first one. */
  async take(QueueUrl: string, waitSeconds = 0): Promise<Message[]> {
    const taken: Message[] = [];
    for (;;) {
      const { Messages = [] } = await this.#sqs.send(
        new ReceiveMessageCommand({
          QueueUrl,
          MaxNumberOfMessages: 10,
          VisibilityTimeout: HIDDEN_SECONDS,
          WaitTimeSeconds: taken.length === 0 ? waitSeconds : 0,
          MessageAttributeNames: ['All'],
          MessageSystemAttributeNames: ['All'],
        }),
      );
      if (Messages.length === 0) return taken;
      taken.push(...Messages.filter(({ MessageId }) => !this.#seen.has(MessageId)));
      for (const { MessageId } of Messages) this.#seen.add(MessageId);
    }
  }
}

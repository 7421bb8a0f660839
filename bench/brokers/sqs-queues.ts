import { randomBytes } from 'node:crypto';
import {
  CreateQueueCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  type QueueAttributeName,
  SQSClient,
} from '@aws-sdk/client-sqs';

const ACCOUNT = '000000000000';
const CLIENT = { region: 'us-east-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' } };
const COUNTS: QueueAttributeName[] = [
  'ApproximateNumberOfMessages',
  'ApproximateNumberOfMessagesNotVisible',
  'ApproximateNumberOfMessagesDelayed',
];

/** The queues of a broker with the SQS API. */
export class SqsQueues {
  /** Environment variables for a program to reach the queues. */
  readonly environment: Readonly<Record<string, string>>;
  readonly #endpoint: string;
  readonly #sqs: SQSClient;

  constructor(endpoint: string) {
    this.#endpoint = endpoint;
    this.#sqs = new SQSClient({ ...CLIENT, endpoint, useQueueUrlAsEndpoint: false });
    this.environment = {
      AWS_ENDPOINT_URL_SQS: endpoint,
      AWS_REGION: CLIENT.region,
      AWS_ACCESS_KEY_ID: CLIENT.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: CLIENT.credentials.secretAccessKey,
    };
  }

  /** Creates a queue with a new name, and resolves to its URL at the endpoint. */
  async create(leaseSeconds: number): Promise<string> {
    const QueueName = `bench-${randomBytes(5).toString('hex')}`;
    const Attributes = { VisibilityTimeout: String(leaseSeconds) };
    await this.#sqs.send(new CreateQueueCommand({ QueueName, Attributes }));
    // The URL from an emulator may have a host that does not resolve
    return `${this.#endpoint}/${ACCOUNT}/${QueueName}`;
  }

  /** The number of messages in a queue: waiting, delayed and in flight. */
  async messagesIn(QueueUrl: string): Promise<number> {
    const command = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: COUNTS });
    const { Attributes = {} } = await this.#sqs.send(command);
    return COUNTS.reduce((sum, name) => sum + Number(Attributes[name] ?? 0), 0);
  }

  /** Deletes a queue with its messages. */
  async delete(QueueUrl: string): Promise<void> {
    await this.#sqs.send(new DeleteQueueCommand({ QueueUrl }));
  }

  /** Closes the client's connections. */
  close(): void {
    this.#sqs.destroy();
  }
}

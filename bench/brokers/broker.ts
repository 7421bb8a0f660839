/** What brokers there are. */
export type BrokerName = 'fauxqs' | 'elasticmq' | 'redis';

/** A broker of the bench's own, which only this machine reaches. */
export interface Broker {
  readonly name: BrokerName;
  readonly version: string;
  /** What a contender's program needs in its environment to reach it: `AWS_ENDPOINT_URL_SQS` or `REDIS_URL`. */
  readonly environment: Readonly<Record<string, string>>;
  /** Makes a queue under a name of its own, and resolves to its URL. */
  createQueue(leaseSeconds: number): Promise<string>;
  /** How many messages a queue holds: waiting, put off and in flight. */
  messagesIn(queueUrl: string): Promise<number>;
  deleteQueue(queueUrl: string): Promise<void>;
  stop(): Promise<void>;
}

/** What a broker needs that this machine lacks. */
export class MissingError extends Error {
  override readonly name = 'MissingError';
}

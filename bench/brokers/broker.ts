/** The names of the brokers. */
export type BrokerName = 'fauxqs' | 'elasticmq' | 'redis';

/** A broker that the bench runs on this machine. */
export interface Broker {
  readonly name: BrokerName;
  readonly version: string;
  /** Environment variables for a contender's program to reach the broker: `AWS_ENDPOINT_URL_SQS` or `REDIS_URL`. */
  readonly environment: Readonly<Record<string, string>>;
  /** Creates a queue with a new name, and resolves to its URL. */
  createQueue(leaseSeconds: number): Promise<string>;
  /** The number of messages in a queue: waiting, delayed and in flight. */
  messagesIn(queueUrl: string): Promise<number>;
  deleteQueue(queueUrl: string): Promise<void>;
  stop(): Promise<void>;
}

/** Thrown if this machine lacks a program that a broker needs. */
export class MissingError extends Error {
  override readonly name = 'MissingError';
}

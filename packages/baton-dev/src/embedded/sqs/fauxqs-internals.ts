// The types and classes of fauxqs that its changes use.
import type { Socket } from 'node:net';

/** A message in fauxqs. */
export interface StoredMessage {
  readonly messageId: string;
  readonly body: string;
  readonly messageAttributes: Readonly<Record<string, MessageAttribute>>;
  approximateReceiveCount: number;
  /** The ARN of the queue that a redrive policy moved it from. */
  sourceArn?: string;
  /** The second delivery of a message, which only hostile queues make. */
  isCopy?: boolean;
}

/** An attribute that a sender gives a message. */
export interface MessageAttribute {
  readonly DataType?: string;
  readonly StringValue?: string;
  readonly BinaryValue?: string;
}

/** A message that was received and is hidden. */
export interface InFlight {
  readonly message: StoredMessage;
  readonly receiptHandle: string;
  receivedAtMs?: number;
}

/** A message in the answer to a receive. */
export interface Received {
  readonly ReceiptHandle: string;
  Attributes?: Record<string, string>;
}

/** The messages that can be received. These are the members of an array that fauxqs uses. */
export interface VisibleMessages extends Iterable<StoredMessage> {
  readonly length: number;
  push(message: StoredMessage): void;
  shift(): StoredMessage | undefined;
}

/** A receive that waits. */
interface Waiter {
  resolve(): void;
  readonly timer: NodeJS.Timeout;
}

/** A queue of fauxqs. */
export interface FauxqsQueue {
  readonly name: string;
  readonly arn: string;
  readonly attributes: Readonly<Record<string, string>>;
  messages: VisibleMessages;
  readonly inflightMessages: Map<string, InFlight>;
  pollWaiters: Waiter[];
  readonly persistence?: { deleteMessage(messageId: string): void };
  isFifo(): boolean;
  enqueue(message: StoredMessage): void;
  dequeue(maxCount: number, visibilitySeconds?: number, queueOf?: QueueOf): Received[];
  waitForMessages(seconds: number): Promise<void>;
  processTimers(): void;
  notifyWaiters(): void;
  purge(): void;
}

/** Finds a queue by its ARN. */
export type QueueOf = (arn: string) => Pick<FauxqsQueue, 'enqueue'> | undefined;

/** The queues of one fauxqs. */
export interface FauxqsStore {
  createQueue(...args: unknown[]): FauxqsQueue;
  getQueue(url: string): FauxqsQueue | undefined;
  getQueueByArn(arn: string): FauxqsQueue | undefined;
  allQueues(): Iterable<FauxqsQueue>;
  shutdown(): void;
}

/** The body of a request. */
export type Body = Readonly<Record<string, unknown>>;

/** A request, with its connection. */
export interface HttpRequest {
  readonly raw: { readonly socket: Socket };
}

/** Makes a new message. */
export type CreateMessage = (body: string, attributes: StoredMessage['messageAttributes']) => StoredMessage;

/** Carries out an action of SQS. @throws Refusal */
export type Handler = (body: Body, store: FauxqsStore, request: HttpRequest) => object | Promise<object>;

/** A request that AWS refuses. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  /** The error code of SQS, such as `ReceiptHandleIsInvalid`. */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

interface Prototype<Members> {
  readonly prototype: Members;
}

/** The classes of fauxqs 2.4.1 that are changed. */
export interface FauxqsInternals {
  readonly SqsStore: Prototype<FauxqsStore> & { readonly createMessage: CreateMessage };
  readonly SqsQueue: Prototype<FauxqsQueue>;
  readonly SqsRouter: Prototype<{ register(action: string, handler: Handler): void }>;
  readonly SqsError: new (code: string, message: string) => Error;
  readonly INVALID_MESSAGE_BODY_CHAR: RegExp;
}

/** Loads classes that fauxqs does not export. */
export async function loadInternals(): Promise<FauxqsInternals> {
  const paths = ['sqs/sqsStore.js', 'sqs/sqsRouter.js', 'sqs/sqsTypes.js', 'common/errors.js'];
  const urls = paths.map((path) => new URL(path, import.meta.resolve('fauxqs')).href);
  const modules = await Promise.all(urls.map((url) => import(url) as Promise<object>));
  return Object.assign({}, ...modules) as FauxqsInternals;
}

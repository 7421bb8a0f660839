import { createSecretKey } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { DeleteItemCommand, DynamoDBClient, PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import type { Message, MessageAttributeValue } from '@aws-sdk/client-sqs';
import type { Backends } from '../../../../tests/support/backends.ts';
import { type Deed, implementations, type Seen } from './contracts.ts';
import {
  ClockWatch,
  createLogger,
  fromReceive,
  Implementations,
  type Outcome,
  outcomeWithoutSlot,
  payloadHashOf,
  processMessage,
  QueueUrls,
  type ReceivedMessage,
  Settler,
  Signatures,
  StoreTracker,
  TaskClient,
  TaskSchedules,
  TaskStore,
} from './library.ts';

/** A message as it was sent to SQS. */
export interface SentMessage {
  readonly queue: string;
  readonly MessageBody: string;
  readonly DelaySeconds?: number;
  readonly MessageAttributes?: Readonly<Record<string, MessageAttributeValue>>;
}

/** A request to SQS. */
export type Call =
  | { readonly send: SentMessage }
  | { readonly hide: string; readonly seconds: number }
  | { readonly delete: string };

/** A row of the table, in DynamoDB's JSON. */
export type Row = Readonly<Record<string, unknown>>;

/** Configures a receive of a message. */
export interface Receipt {
  /** How its handler acts. Default: it succeeds. */
  readonly does?: Deed;
  /** How many times SQS has delivered the message. Default 1. */
  readonly receives?: number;
  /** How long ago SQS accepted the message, in seconds. Default 2. */
  readonly ageSeconds?: number;
  /** How long an unknown task is released before it becomes a dead letter, in seconds. Default 600. */
  readonly patienceSeconds?: number;
  /** Changes to the message. */
  readonly change?: Partial<ReceivedMessage>;
}

interface Command {
  readonly constructor: { readonly name: string };
  readonly input: { readonly QueueUrl?: string; readonly Entries?: readonly Entry[] };
}

interface Entry extends Omit<SentMessage, 'queue'> {
  readonly Id: string;
  readonly ReceiptHandle: string;
  readonly VisibilityTimeout: number;
}

const PREFIX = 'http://sqs.invalid/000000000000/baton-test-';
const logger = createLogger({ service: 'recorded', level: 'silent' });

/** Services and workers in one process, with an SQS that records its requests and a real table. */
export class Stage {
  store: TaskStore;
  readonly schedules: TaskSchedules;
  client: TaskClient;
  readonly queueUrls = new QueueUrls(PREFIX);
  readonly logger = logger;
  /** The requests to SQS in this step. */
  calls: Call[] = [];
  /** The inputs of handlers in this step. */
  seen: Seen[] = [];
  /** All messages sent so far. */
  sent: SentMessage[] = [];
  /** Whether the table answers. */
  table: 'answers' | 'is away' | 'loses its answers' = 'answers';
  nowMs = 0;
  readonly #dynamoDb: DynamoDBClient;
  readonly #tasksTable: string;
  readonly #watched: { readonly documents: never; readonly table: string; readonly now: () => number };
  #signatures: Signatures | undefined;
  readonly #sqs;
  #deed: Deed = 'succeeds';

  constructor({ documents, tasksTable, environment }: Backends) {
    this.#tasksTable = tasksTable;
    this.#dynamoDb = new DynamoDBClient({
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      endpoint: environment['AWS_ENDPOINT_URL_DYNAMODB'] ?? '',
    });
    this.#sqs = { send: (command: unknown) => this.#take(command as Command) } as never;
    const now = () => this.nowMs;
    new ClockWatch('SQS', { now, answers: false }).listenTo(this.#sqs);
    const watched = { send: (command: never) => this.#ask(() => documents.send(command)) } as never;
    this.#watched = { documents: watched, table: tasksTable, now };
    this.store = new TaskStore(this.#watched);
    this.schedules = new TaskSchedules(this.#watched);
    this.client = this.#clientOf('orders', this.store);
  }

  /** Lets all processes sign, and require signatures, from now on. The key is no secret. */
  signs(): void {
    const key = createSecretKey(Buffer.from('a key of 32 bytes, for these scenes'));
    const keys = { value: async () => [{ id: 'k-1', key }], refused: () => undefined };
    this.#signatures = new Signatures({ keys, required: true });
    this.store = new TaskStore({ ...this.#watched, signatures: this.#signatures });
    this.client = this.#clientOf('orders', this.store);
  }

  /** Closes the connection to the table. */
  close(): void {
    this.#dynamoDb.destroy();
  }

  /** The messages that workers receive: all messages sent so far except dead letters. */
  get work(): SentMessage[] {
    return this.sent.filter(({ queue }) => !queue.endsWith('-dlq'));
  }

  /** Lets a worker run the message at this place in `work`. */
  run(place: number, receipt: Receipt = {}): Promise<object> {
    return this.#settled(place, receipt, (message, queue, hold) =>
      this.#process(message, queue, hold, receipt),
    );
  }

  /** Lets a worker give a message back, because it has no slot. */
  giveBack(place: number, receipt: Receipt = {}): Promise<object> {
    return this.#settled(place, receipt, async (message) => outcomeWithoutSlot(message));
  }

  /** Lets a worker run a message while the table goes away. The worker must then release the message. */
  async giveUp(place: number, receipt: Receipt = {}): Promise<object> {
    return this.#settled(place, receipt, (message, queue, hold) => {
      const process = this.#process(message, queue, hold, receipt, () => {
        this.table = 'is away';
        void sleep(20).then(() => hold.abort(new Error('The worker stops')));
      });
      return process.finally(() => (this.table = 'answers'));
    });
  }

  /** Sends a message as a person does, without a client of Baton. */
  put(message: SentMessage): void {
    this.sent.push(message);
    this.calls.push({ send: message });
  }

  /** Lets a worker start an attempt and die. */
  async crash(taskId: string, task: string, begun?: 'alone' | 'in company'): Promise<void> {
    const claim = {
      taskId,
      task,
      queue: 'jobs',
      claimId: `c-${this.nowMs}`,
      owner: 'w-dead',
      payloadHash: payloadHashOf({ text: 'four' }),
      leaseSeconds: 30,
    };
    const row = await this.store.attempts.claim(claim);
    if (!row || row.claimId !== claim.claimId) throw new Error(`No claim on ${taskId}`);
    if (begun) await this.store.attempts.begins({ taskId, claimId: claim.claimId, token: row.token }, begun);
  }

  /** The rows of the table, in the order of their ids. */
  async rows(): Promise<Row[]> {
    const { Items = [] } = await this.#dynamoDb.send(
      new ScanCommand({ TableName: this.#tasksTable, ConsistentRead: true }),
    );
    return Items.toSorted((one, other) => ((one['taskId']?.S ?? '') < (other['taskId']?.S ?? '') ? -1 : 1));
  }

  /** Replaces all rows of the table. */
  async load(rows: readonly Row[]): Promise<void> {
    const TableName = this.#tasksTable;
    for (const { taskId } of await this.rows())
      await this.#dynamoDb.send(new DeleteItemCommand({ TableName, Key: { taskId } as never }));
    for (const Item of rows)
      await this.#dynamoDb.send(new PutItemCommand({ TableName, Item: Item as never }));
  }

  #clientOf(source: string, records: TaskStore): TaskClient {
    const signatures = this.#signatures;
    return new TaskClient({ sqs: this.#sqs, queueUrls: this.queueUrls, source, records, signatures });
  }

  async #settled(
    place: number,
    receipt: Receipt,
    decide: (message: ReceivedMessage, queue: string, hold: AbortController) => Promise<Outcome>,
  ): Promise<object> {
    const known = this.work[place];
    if (!known) throw new Error(`Only ${this.work.length} messages were sent`);
    const { queue, ...sent } = known;
    const message = { ...this.#received(place, sent, receipt), ...receipt.change };
    const outcome = await decide(message, queue, new AbortController());
    await new Settler(this.#sqs, this.queueUrls, queue).settle(message, outcome, 'w-1');
    return { outcome: decided(outcome), seen: this.seen };
  }

  #received(
    place: number,
    sent: Omit<SentMessage, 'queue'>,
    { receives = 1, ageSeconds = 2 }: Receipt,
  ): ReceivedMessage {
    const message: Message = {
      MessageId: `m-${place}`,
      ReceiptHandle: `m-${place}#${receives}`,
      Body: sent.MessageBody,
      Attributes: {
        ApproximateReceiveCount: String(receives),
        SentTimestamp: String(this.nowMs - ageSeconds * 1000),
        ApproximateFirstReceiveTimestamp: String(this.nowMs - ageSeconds * 1000 + 500),
      },
      MessageAttributes: { ...sent.MessageAttributes },
    };
    return fromReceive(message);
  }

  #process(
    message: ReceivedMessage,
    queue: string,
    hold: AbortController,
    { does = 'succeeds', patienceSeconds = 600 }: Receipt,
    onBegin?: () => void,
  ): Promise<Outcome> {
    this.#deed = does;
    const tasks = this.#clientOf('worker', this.store);
    const all = implementations(
      () => this.#deed,
      (seen) => {
        this.seen.push(seen);
        onBegin?.();
      },
    );
    const held = { signal: hold.signal, outlivedBy: () => undefined, runAlone: async () => true };
    return processMessage(message, queue, held, {
      implementations: new Implementations(all),
      send: tasks.send,
      signatures: this.#signatures,
      tracker: new StoreTracker({ store: this.store, forward: tasks.forward, leaseSeconds: 30, logger }),
      logger,
      now: () => this.nowMs,
      worker: { id: 'w-1', version: '1' },
      unknownTaskPatienceSeconds: patienceSeconds,
      abortGraceSeconds: 0.1,
      everyReceiveIsSeen: true,
    });
  }

  async #ask(request: () => Promise<object>): Promise<object> {
    const away = Object.assign(new Error('The table is away'), { name: 'TimeoutError' });
    if (this.table === 'is away') throw away;
    const answer = await request();
    if (this.table === 'loses its answers') throw away;
    return answer;
  }

  /** Stands in for the SDK's SQS client: records requests. */
  async #take({ constructor: { name }, input: { QueueUrl = '', Entries = [] } }: Command): Promise<object> {
    const queue = QueueUrl.slice(PREFIX.length);
    for (const { Id: _id, ...entry } of Entries) {
      if (name === 'SendMessageBatchCommand') this.put({ queue, ...entry });
      else if (name === 'DeleteMessageBatchCommand') this.calls.push({ delete: entry.ReceiptHandle });
      else this.calls.push({ hide: entry.ReceiptHandle, seconds: entry.VisibilityTimeout });
    }
    return { Successful: Entries.map(({ Id }) => ({ Id })) };
  }
}

/** The parts of an outcome that matter outside this process. The notes of a copy are recorded with its send. */
function decided(outcome: Outcome): object {
  const { kind, reason, delaySeconds, result, error } = outcome as Outcome & {
    readonly reason?: string;
    readonly delaySeconds?: number;
    readonly result?: unknown;
    readonly error?: Error;
  };
  return { kind, reason, delaySeconds, result, error: error && { name: error.name, message: error.message } };
}

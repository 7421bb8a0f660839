// Services and a worker that an attacker sends messages to.
import { randomUUID } from 'node:crypto';
import type { SendMessageBatchCommand } from '@aws-sdk/client-sqs';
import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { Signing } from '../../aws/signing.ts';
import { signaturesBy, type Signatures } from '../../sqs/signatures.ts';
import type { TaskState } from '../../task/task-status.ts';
import { implement, Implementations } from '../../task/implementation.ts';
import type { Outcome } from '../../task/outcome.ts';
import { defineTask, type TaskContract, type TrackedContract } from '../../task/task.ts';
import { taskEndSchema } from '../../task/task-end.ts';
import { type Envelope, decodeEnvelope } from '../../sqs/envelope.ts';
import { QueueUrls } from '../../sqs/queue-urls.ts';
import { payloadHashOf } from '../../send/prepared-task.ts';
import { TaskClient } from '../../send/task-client.ts';
import { processMessage } from '../../run/process-message.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { ClockWatch } from '../../time/clock-watch.ts';
import { StoreTracker } from '../store-tracker.ts';
import { TaskStore } from '../task-store.ts';
import { type Backends, startBackends } from '../../../tests/support/backends.ts';
import { messageBody, receivedMessage, textAttributes } from '../../../tests/support/messages.ts';
import * as z from 'zod';

const shared = {
  result: z.int(),
  retry: { maxAttempts: 3, baseSeconds: 1, capSeconds: 1 },
  timeoutSeconds: 5,
  tracked: true,
} as const;

/** A task of the attacked service. */
export const pay = defineTask({
  ...shared,
  name: 'payments.pay',
  queue: 'payments',
  payload: z.object({ to: z.string() }),
});
/** The tasks of chains and groups. The attacker may send to their queue. */
export const count = defineTask({
  ...shared,
  name: 'numbers.count',
  queue: 'numbers',
  lanes: { normal: 2, high: 8 },
  defaultLane: 'normal',
  payload: z.int(),
});
/** The task that takes the results of a group. */
export const sum = defineTask({
  ...shared,
  name: 'numbers.sum',
  queue: 'numbers',
  payload: z.array(z.int()),
});
/** A listener. */
export const told = defineTask({
  name: 'ends.told',
  queue: 'ends',
  payload: taskEndSchema,
  result: z.void(),
  retry: { maxAttempts: 1, baseSeconds: 1 },
  timeoutSeconds: 5,
});
/** A task that runs at each hour. The attacker may send to its queue. */
export const hourly = defineTask({
  ...shared,
  name: 'numbers.hourly',
  queue: 'numbers',
  payload: z.object({}),
  schedule: { cron: '0 * * * *', timeZone: 'UTC' },
});
/** A task that no worker of these tests runs. */
export const bill = defineTask({ ...shared, name: 'bills.bill', queue: 'bills', payload: z.int() });

/** The contracts that the code of all processes declares. */
const declared = [pay, count, sum, bill, told, hourly] as readonly TaskContract[];
const PREFIX = 'http://sqs.invalid/000000000000/baton-test-';

interface Sent {
  readonly queue: string;
  readonly body: string;
}

/** A task store, a client, and a worker that runs `pay`, `count`, `sum` and `hourly`. SQS only records what is sent. */
export class AttackedStage {
  readonly store: TaskStore;
  readonly tasks: TaskClient;
  /** What handlers got: the names of their tasks, and the payloads. */
  handled: (readonly [string, unknown])[] = [];
  /** All messages, in the order of their sends. */
  sent: Sent[] = [];
  /** Replaces the handlers. */
  does: (() => number | Promise<number>) | undefined;
  /** How long ago everything before happened, in milliseconds. */
  aheadMs = 0;
  /** The lines of the worker's log. */
  lines: string[] = [];
  readonly signatures: Signatures | undefined;
  readonly #backends: Backends;
  readonly #logger = createLogger({
    service: 'tests',
    level: 'warn',
    to: { write: (line: string) => void this.lines.push(line) },
  });

  private constructor(backends: Backends, signing?: Signing) {
    this.#backends = backends;
    const signatures = signaturesBy(signing);
    this.signatures = signatures;
    const now = () => Date.now() + this.aheadMs;
    const sqs = { send: async (command: SendMessageBatchCommand) => this.#take(command.input) } as never;
    new ClockWatch('SQS', { now, answers: false }).listenTo(sqs);
    const { documents, tasksTable: table } = backends;
    this.store = new TaskStore({ documents, table, now, signatures });
    const queueUrls = new QueueUrls(PREFIX);
    this.tasks = new TaskClient({
      sqs,
      queueUrls,
      source: 'orders',
      records: this.store,
      contracts: declared,
      signatures,
    });
  }

  /** The task store's client of DynamoDB. */
  get documents(): Backends['documents'] {
    return this.#backends.documents;
  }

  /** Starts the task store. @param signing - by default nothing is signed */
  static async start(signing?: Signing): Promise<AttackedStage> {
    return new AttackedStage(await startBackends([]), signing);
  }

  /** Processes that sign and check in another way, with the same task store. */
  with(signing?: Signing): AttackedStage {
    return new AttackedStage(this.#backends, signing);
  }

  /** Writes attributes of a row, as somebody does who may write to the table. Undefined removes an attribute. */
  async write(taskId: string, changes: Readonly<Record<string, unknown>>): Promise<void> {
    const entries = Object.entries(changes);
    const [set, removed] = [
      entries.filter(([, value]) => value !== undefined),
      entries.filter(([, value]) => value === undefined),
    ];
    const parts = [
      set.length > 0 ? `SET ${set.map(([name]) => `#${name} = :${name}`).join(', ')}` : '',
      removed.length > 0 ? `REMOVE ${removed.map(([name]) => `#${name}`).join(', ')}` : '',
    ];
    await this.documents.send(
      new UpdateCommand({
        TableName: this.#backends.tasksTable,
        Key: { taskId },
        UpdateExpression: parts.join(' '),
        ExpressionAttributeNames: Object.fromEntries(entries.map(([name]) => [`#${name}`, name])),
        ...(set.length > 0 && {
          ExpressionAttributeValues: Object.fromEntries(set.map(([name, value]) => [`:${name}`, value])),
        }),
      }),
    );
  }

  /** Stops the task store. */
  stop(): Promise<void> {
    return this.#backends.stop();
  }

  /** Forgets what was sent and handled. */
  begin(): void {
    Object.assign(this, { handled: [], sent: [], lines: [], does: undefined, aheadMs: 0 });
  }

  /** The ids of the tasks that were sent. */
  get taskIds(): string[] {
    return this.sent.map(({ body }) => decodeEnvelope(body).taskId);
  }

  async stateOf(taskId: string): Promise<TaskState | undefined> {
    return (await this.store.find(taskId))?.state;
  }

  /** Lets a worker receive a message that somebody wrote. Default queue: that of the contract. */
  receive(
    envelope: Partial<Envelope> & Pick<Envelope, 'task'>,
    {
      queue,
      attributes = { 'baton.sent-at': '0' },
    }: { queue?: string; attributes?: Record<string, string> } = {},
  ): Promise<Outcome> {
    const own = [pay, count, sum, hourly].find(({ name }) => name === envelope.task)?.queue ?? pay.queue;
    return this.#process({ queue: queue ?? own, body: messageBody(envelope) }, attributes);
  }

  /** Lets a worker receive a message that Baton sent. */
  receiveSent(
    place: number,
    attributes: Record<string, string> = { 'baton.sent-at': '0' },
  ): Promise<Outcome> {
    const sent = this.sent[place];
    if (!sent) throw new Error(`Only ${this.sent.length} messages were sent`);
    return this.#process(sent, attributes);
  }

  /** Lets a worker receive a body from a queue. */
  receiveBody(
    body: string,
    queue: string,
    attributes: Record<string, string> = { 'baton.sent-at': '0' },
  ): Promise<Outcome> {
    return this.#process({ queue, body }, attributes);
  }

  /** Lets a worker receive all messages that Baton sent, and those that it sends meanwhile. */
  async receiveAll(): Promise<void> {
    for (let place = 0; place < this.sent.length; place += 1) await this.receiveSent(place);
  }

  /** Claims a task as another worker does. */
  claim(taskId: string, { name, queue }: TrackedContract, payload: unknown, leaseSeconds = 30) {
    const [claimId, owner] = [randomUUID(), 'another'];
    const payloadHash = payloadHashOf(payload);
    return this.store.attempts.claim({
      taskId,
      task: name,
      queue,
      payloadHash,
      claimId,
      owner,
      leaseSeconds,
    });
  }

  /** Ends a task as a worker of the version before does: it says nothing to the task that follows. */
  async succeeds(taskId: string, contract: TrackedContract, payload: unknown, result: number): Promise<void> {
    const { claimId = '', token = 0, groupId } = (await this.claim(taskId, contract, payload)) ?? {};
    const conclusion = { state: 'succeeded', result: JSON.stringify(result) } as const;
    await this.store.attempts.conclude({ taskId, claimId, token }, conclusion);
    if (groupId !== undefined) await this.store.groups.memberDone(groupId, taskId);
  }

  #process({ queue, body }: Sent, attributes: Record<string, string>): Promise<Outcome> {
    const run =
      ({ name }: TrackedContract, result: (payload: never) => number) =>
      (payload: unknown): number | Promise<number> => {
        this.handled.push([name, payload]);
        return this.does ? this.does() : result(payload as never);
      };
    const { signatures } = this;
    const logger = this.#logger;
    const { forward } = this.tasks;
    const message = receivedMessage({ body, attributes: textAttributes(attributes) });
    const host = { signal: new AbortController().signal, outlivedBy: () => undefined };
    return processMessage(message, queue, host, {
      implementations: new Implementations([
        implement(
          pay,
          run(pay, () => 1),
        ),
        implement(
          count,
          run(count, (number: number) => number + 1),
        ),
        implement(
          sum,
          run(sum, (numbers: number[]) => numbers.reduce((one, other) => one + other, 0)),
        ),
        implement(
          hourly,
          run(hourly, () => 1),
        ),
      ]),
      send: this.tasks.send,
      signatures,
      now: () => Date.now() + this.aheadMs,
      tracker: new StoreTracker({
        store: this.store,
        forward,
        contracts: declared,
        leaseSeconds: 30,
        logger,
      }),
      logger,
      worker: { id: 'w-1', version: '1' },
      unknownTaskPatienceSeconds: 0,
      abortGraceSeconds: 0.2,
    });
  }

  #take({ QueueUrl = '', Entries = [] }: SendMessageBatchCommand['input']): object {
    const queue = QueueUrl.slice(PREFIX.length);
    this.sent.push(...Entries.map(({ MessageBody = '' }) => ({ queue, body: MessageBody })));
    return { Successful: Entries.map(({ Id }) => ({ Id })) };
  }
}

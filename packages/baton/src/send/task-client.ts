// Sends tasks and starts flows: the client that services, handlers and programs use.
import { GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { z } from 'zod';
import { BrokenAnswerError } from '../aws/answers.ts';
import { sourceSchema } from '../sqs/envelope.ts';
import { FIRST_MESSAGE } from '../sqs/put-back.ts';
import { QueueSender, sendError } from '../sqs/queue-sender.ts';
import { SIGNATURE_BYTES, type Signatures } from '../sqs/signatures.ts';
import type { QueueUrls } from '../sqs/queue-urls.ts';
import type { Chain, Group } from '../task/flow.ts';
import { UnknownLinkError } from '../task/errors.ts';
import type { FlowEnd } from '../task/next-task.ts';
import type { Notes } from '../task/outcome.ts';
import type { CancelOptions, SendOptions, SendTask, SentTask, TaskHandle } from '../task/send-task.ts';
import { isTracked, maxPayloadBytesOf, type TaskContract, type TrackedContract } from '../task/task.ts';
import type { TaskStatus } from '../task/task-status.ts';
import { formatTraceparent } from '../telemetry/trace-context.ts';
import { ClockWatch } from '../time/clock-watch.ts';
import { type FlowSender, startChain, startGroup } from './flow-start.ts';
import { encodeTask, type PreparedTask, prepareTask, timeBy } from './prepared-task.ts';
import { isDelayed } from './send-checks.ts';
import { type ForwardTask, TaskContinuation } from './task-continuation.ts';
import { KnownLinks } from './known-links.ts';
import { KeptTaskHandle } from './task-handle.ts';
import type { NewTask, TaskRecords } from './task-records.ts';

/** Configures a task client. */
export interface TaskClientOptions {
  readonly sqs: SQSClient;
  readonly queueUrls: QueueUrls;
  /** The sending service's name, `^[a-z0-9-]+$`: the `source` of its envelopes. */
  readonly source: string;
  /** The task store. Required to send tracked tasks. */
  readonly records?: TaskRecords;
  /** The contracts that `cancel` may tell, beside those that this client sends. Default: any, for tests. */
  readonly contracts?: readonly TaskContract[] | undefined;
  /** Sign its messages. The task store signs rows. Default: they are not signed. */
  readonly signatures?: Signatures | undefined;
}

/**
 * Sends tasks. Sends to one queue at about the same time share a request of at most ten messages and 1 MiB. Each caller
 * gets the result of its own message.
 */
export class TaskClient {
  readonly #sqs: SQSClient;
  readonly #queueUrls: QueueUrls;
  readonly #source: string;
  readonly #records: TaskRecords | undefined;
  readonly #signatures: Signatures | undefined;
  readonly #links: KnownLinks | undefined;
  readonly #clock: ClockWatch;
  readonly #senders = new Map<string, QueueSender>();

  /** @throws ZodError if `source` is not a service name */
  constructor({ sqs, queueUrls, source, records, contracts, signatures }: TaskClientOptions) {
    this.#signatures = signatures;
    this.#links = contracts && new KnownLinks(contracts);
    this.#sqs = sqs;
    this.#queueUrls = queueUrls;
    this.#source = sourceSchema.parse(source);
    this.#records = records;
    this.#clock = ClockWatch.of(sqs);
  }

  /**
   * Sends a task. Resolves once SQS has accepted it.
   *
   * @throws InvalidValueError if the payload or an option is invalid; nothing was sent
   * @throws TaskConflictError if the id or key of a tracked task belongs to another task; nothing was sent
   * @throws SendError if SQS did not accept the task; `transient` says whether the same send may succeed later. After a
   *   time-out SQS may have accepted it nevertheless: send it again with the same task id
   */
  readonly send: SendTask = async <
    Payload extends z.ZodType,
    Result extends z.ZodType,
    Tracked extends boolean,
    Lane extends string,
  >(
    contract: TaskContract<Payload, Result, Tracked, Lane>,
    payload: z.input<Payload>,
    options: SendOptions<NoInfer<Lane>> = {},
  ): Promise<SentTask<Result, Tracked>> => {
    // Most tasks have no delay, so they need no time
    const nowMs = isDelayed(options) ? await this.#now(contract) : 0;
    const prepared = this.#prepare(contract, payload, options, nowMs);
    const { taskId } = prepared;
    if (!isTracked(contract)) {
      await this.#deliver(prepared);
      return { taskId } as SentTask<Result, Tracked>;
    }
    await this.#sendTracked(prepared, options);
    if (options.onEnd) this.#links?.add(options.onEnd);
    return this.handle(contract, taskId);
  };

  /**
   * Starts a chain or a group. Resolves to the handle of its last task once SQS has accepted the first tasks. The flow
   * survives crashes, because each task sends the next one before its own message is deleted. If a task does not succeed,
   * the tasks after it are cancelled.
   *
   * @param options - with `taskId` or `deduplicationKey`, repeated starts are one flow; `lane` applies to each task whose
   *   contract has that lane
   * @throws the errors of `send`, and TooDeepError if the last task would be deeper than 1,000; nothing was sent
   */
  async start<Payload extends z.ZodType, Result extends z.ZodType, Lane extends string>(
    flow: Chain<Payload, Result, Lane>,
    payload: z.input<Payload>,
    options?: SendOptions<NoInfer<Lane>>,
  ): Promise<TaskHandle<Result>>;
  async start<Result extends z.ZodType, Lane extends string>(
    flow: Group<Result, Lane>,
    options?: SendOptions<NoInfer<Lane>>,
  ): Promise<TaskHandle<Result>>;
  async start(flow: Chain | Group, ...rest: unknown[]): Promise<TaskHandle> {
    const sender: FlowSender = {
      records: this.#store({ name: `A ${flow.kind}` }),
      prepare: this.#prepare,
      sendTracked: this.#sendTracked,
      cancel: this.cancel,
    };
    const options = (flow.kind === 'chain' ? rest[1] : rest[0]) as SendOptions | undefined;
    this.#links?.add(...contractsOf(flow), ...(options?.onEnd ? [options.onEnd] : []));
    if (flow.kind === 'chain') return startChain(sender, flow, rest[0], options ?? {});
    return startGroup(sender, flow, options ?? {});
  }

  /** Makes the handle of a tracked task that was sent before, by this process or another one. */
  handle<Result extends z.ZodType>(
    contract: TrackedContract<z.ZodType, Result>,
    taskId: string,
  ): TaskHandle<Result> {
    this.#links?.add(contract);
    return new KeptTaskHandle(this.#store(contract), contract, taskId, (options) =>
      this.cancel(taskId, options),
    );
  }

  /**
   * Cancels a tracked task that has not ended, and the tasks after it in its chain or group, and tells their listeners. A
   * waiting task never runs. The signal of a running handler aborts within a heartbeat. Resolves to the task's status
   * after that: `cancelled`, unless it had ended before; undefined if there is no such task. A listener that no contract of
   * this process declares is left to the worker that receives the task's message.
   *
   * @throws SendError if SQS did not accept a listener's task. The task is cancelled nevertheless. The listener is told when
   *   the task is cancelled again, or when a worker receives its message
   */
  readonly cancel = async (taskId: string, { by }: CancelOptions = {}): Promise<TaskStatus | undefined> => {
    const records = this.#store({ name: taskId });
    const status = await records.cancel(taskId, { by });
    if (status?.state !== 'cancelled') return status;
    const task = await records.read(taskId);
    const { forward } = this;
    const links = this.#links;
    if (task?.state !== 'cancelled') return status;
    await new TaskContinuation({ records, forward, links }).ended(task).catch((error: unknown) => {
      if (!(error instanceof UnknownLinkError)) throw error;
    });
    return status;
  };

  /**
   * Sends the next task of a flow, or a listener's task. Does not check the payload: the worker that runs it does.
   *
   * @throws SendError if SQS did not accept it
   */
  readonly forward: ForwardTask = async (next, data, sent) => {
    const { taskId, task, version, flowEnd } = next;
    const source = this.#source;
    const time = timeBy(this.#clock);
    const envelope = { taskId, task, version, source, time, ...sent, flowEnd, data };
    const body = encodeTask(envelope, maxPayloadBytesOf(next), this.#reservedBytes);
    await this.#deliver({ ...next, body, delaySeconds: 0 }, FIRST_MESSAGE);
  };

  /** Resolves if the queue of a contract answers. For a health check. */
  async ping({ queue }: Pick<TaskContract, 'queue'>): Promise<void> {
    const { Attributes } = await this.#sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: this.#queueUrls.of(queue), AttributeNames: ['QueueArn'] }),
    );
    if (!Attributes?.['QueueArn']) throw new BrokenAnswerError('GetQueueAttributes', 'it has no QueueArn');
  }

  readonly #prepare = (
    contract: TaskContract,
    payload: unknown,
    options: SendOptions,
    nowMs: number,
    flowEnd?: FlowEnd,
  ): PreparedTask =>
    prepareTask(contract, payload, options, {
      source: this.#source,
      clock: this.#clock,
      nowMs,
      flowEnd,
      reservedBytes: this.#reservedBytes,
    });

  /** Writes the row, then sends: so a running task always has a row, and a task that was not sent can be sent again. */
  readonly #sendTracked = async (
    prepared: PreparedTask,
    options: SendOptions,
    links: Pick<NewTask, 'next' | 'groupId' | 'flowEnd'> = {},
  ): Promise<void> => {
    const {
      taskId,
      task,
      version = 1,
      queue,
      payloadHash,
      notBefore,
      depth,
      trace,
      subject,
      onEnd,
    } = prepared;
    const { parentId } = options;
    const traceparent = formatTraceparent(trace);
    const records = this.#store({ name: task });
    const what = { taskId, task, contractVersion: version, queue, payloadHash, subject };
    const row = { ...what, notBefore, parentId, traceparent, onEnd, ...links };
    if (!(await records.create({ ...row, ...(depth > 0 && { depth }) }))) return;
    try {
      await this.#deliver(prepared, FIRST_MESSAGE);
    } catch (error) {
      const { taskId: own, deduplicationKey, onEnd: another } = options;
      // SQS may have accepted it nevertheless. Then its claim writes the row again, without its flow and this listener
      const isRestorable = !links.next && links.groupId === undefined && another === undefined;
      // If the sender chose the id, the row stays, because another process may have sent the same task
      if (isRestorable && own === undefined && deduplicationKey === undefined)
        await records.forget(taskId).catch(() => undefined);
      throw error;
    }
  };

  async #deliver(
    { task, queue, body, delaySeconds }: Pick<PreparedTask, 'task' | 'queue' | 'body' | 'delaySeconds'>,
    notes?: Notes,
  ) {
    const signed = this.#signatures ? await this.#signatures.signed(body, queue) : body;
    try {
      await this.#senderOf(queue).send(signed, delaySeconds, notes);
    } catch (cause) {
      throw sendError(task, queue, cause);
    }
  }

  get #reservedBytes(): number {
    return this.#signatures ? SIGNATURE_BYTES : 0;
  }

  #senderOf(queue: string): QueueSender {
    const sender = this.#senders.get(queue) ?? new QueueSender(this.#sqs, this.#queueUrls.of(queue));
    this.#senders.set(queue, sender);
    return sender;
  }

  /** The time that a task's delay counts from: the task store's for a tracked task, otherwise SQS's. */
  async #now(contract: TaskContract): Promise<number> {
    return contract.tracked ? this.#store(contract).now() : this.#clock.nowMs;
  }

  #store({ name }: Pick<TaskContract, 'name'>): TaskRecords {
    if (this.#records) return this.#records;
    throw new TypeError(
      `${name} needs a task store, and this TaskClient has none: expected the option "records"`,
    );
  }
}

/** The contracts of a flow's tasks. */
function contractsOf(flow: Chain | Group): readonly TaskContract[] {
  return flow.kind === 'chain' ? flow.steps : [flow.next, ...flow.members.map(({ contract }) => contract)];
}

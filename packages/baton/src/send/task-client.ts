// Sends tasks and starts flows: the client that services, handlers and programs use.
import { GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { z } from 'zod';
import { BrokenAnswerError } from '../aws/answers.ts';
import { sourceSchema } from '../sqs/envelope.ts';
import { FIRST_MESSAGE } from '../sqs/put-back.ts';
import { QueueSender, sendError } from '../sqs/queue-sender.ts';
import type { QueueUrls } from '../sqs/queue-urls.ts';
import type { Chain, Group } from '../task/flow.ts';
import type { FlowEnd } from '../task/next-task.ts';
import type { Notes } from '../task/outcome.ts';
import type { SendOptions, SendTask, SentTask, TaskHandle } from '../task/send-task.ts';
import { isTracked, type TaskContract, type TrackedContract } from '../task/task.ts';
import type { TaskStatus } from '../task/task-status.ts';
import { formatTraceparent } from '../telemetry/trace-context.ts';
import { ClockWatch } from '../time/clock-watch.ts';
import { type FlowSender, startChain, startGroup } from './flow-start.ts';
import { encodeTask, type PreparedTask, prepareTask, timeBy } from './prepared-task.ts';
import { isDelayed } from './send-checks.ts';
import { type ForwardTask, TaskContinuation } from './task-continuation.ts';
import { KeptTaskHandle } from './task-handle.ts';
import type { NewTask, TaskRecords } from './task-records.ts';

/** Where a task client sends tasks, and in whose name. */
export interface TaskClientOptions {
  readonly sqs: SQSClient;
  readonly queueUrls: QueueUrls;
  /** The sending service's name, `^[a-z0-9-]+$`. It stands in every envelope. */
  readonly source: string;
  /** The task store. Without it tracked tasks cannot be sent. */
  readonly records?: TaskRecords;
}

/**
 * Sends tasks. Sends that are made at about the same time to one queue travel in one request of up to ten messages
 * and 1 MiB; each caller learns of its own message's fate alone.
 */
export class TaskClient {
  readonly #sqs: SQSClient;
  readonly #queueUrls: QueueUrls;
  readonly #source: string;
  readonly #records: TaskRecords | undefined;
  readonly #clock: ClockWatch;
  readonly #senders = new Map<string, QueueSender>();

  /** @throws ZodError when `source` is no service name */
  constructor({ sqs, queueUrls, source, records }: TaskClientOptions) {
    this.#sqs = sqs;
    this.#queueUrls = queueUrls;
    this.#source = sourceSchema.parse(source);
    this.#records = records;
    this.#clock = ClockWatch.of(sqs);
  }

  /**
   * Sends a task and resolves once SQS has taken it.
   *
   * @throws InvalidValueError when the payload or one of the options breaks its rules; nothing was sent
   * @throws TaskConflictError when the id or key of a tracked task belongs to another one; nothing was sent
   * @throws SendError when SQS did not take the task; `transient` says whether the same send may succeed later.
   *   After a time-out SQS may have taken it all the same: send again with the same task id
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
    // Most tasks are not put off: no time is needed
    const nowMs = isDelayed(options) ? await this.#now(contract) : 0;
    const prepared = this.#prepare(contract, payload, options, nowMs);
    const { taskId } = prepared;
    if (!isTracked(contract)) {
      await this.#deliver(prepared);
      return { taskId } as SentTask<Result, Tracked>;
    }
    await this.#sendTracked(prepared, options);
    return this.handle(contract, taskId);
  };

  /**
   * Starts a chain, or a group and what follows it. Resolves to the handle of its last task once SQS has taken the
   * first ones. A crash anywhere leaves it resumable: each task that has succeeded has sent the next before its own
   * message is deleted. Where one does not succeed, those after it are cancelled.
   *
   * @param options - `taskId` or `deduplicationKey` make it one flow however often it is started; `lane` is of each task
   *   whose contract has that lane
   *
   * @throws what `send` throws, and TooDeepError when the last task would be deeper than 1,000; nothing was sent
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
    if (flow.kind === 'chain') return startChain(sender, flow, rest[0], rest[1] ?? {});
    return startGroup(sender, flow, rest[0] ?? {});
  }

  /** What can be asked of a tracked task that was sent before, here or elsewhere. */
  handle<Result extends z.ZodType>(
    contract: TrackedContract<z.ZodType, Result>,
    taskId: string,
  ): TaskHandle<Result> {
    return new KeptTaskHandle(this.#store(contract), contract, taskId, () => this.cancel(taskId));
  }

  /**
   * Cancels a tracked task that has not ended, and what follows it in its chain or group; tells those who listen to the
   * ends of these. What waits never runs, the signal of what runs aborts within a heartbeat. Resolves to the task as it is
   * then: `cancelled`, unless it had ended otherwise before; nothing when it is not known.
   *
   * @throws SendError when SQS did not take what a listener is to be told. The task is cancelled all the same, and it is
   *   told when the task is cancelled again, or when its message comes
   */
  readonly cancel = async (taskId: string): Promise<TaskStatus | undefined> => {
    const records = this.#store({ name: taskId });
    const status = await records.cancel(taskId);
    if (status?.state !== 'cancelled') return status;
    const task = await records.read(taskId);
    if (task?.state === 'cancelled') await new TaskContinuation(records, this.forward).ended(task);
    return status;
  };

  /**
   * Sends a task that is noted already, with another's result as its payload, or one that is told of an end. Its
   * contract checks the payload where it is run.
   *
   * @throws SendError when SQS did not take it
   */
  readonly forward: ForwardTask = async (next, data, sent) => {
    const { taskId, task, version, flowEnd } = next;
    const source = this.#source;
    const time = timeBy(this.#clock);
    const body = encodeTask({ taskId, task, version, source, time, ...sent, flowEnd, data });
    await this.#deliver({ ...next, body, delaySeconds: 0 }, FIRST_MESSAGE);
  };

  /** Resolves when the queue of a contract answers; for a health check. */
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
    prepareTask(contract, payload, options, { source: this.#source, clock: this.#clock, nowMs, flowEnd });

  /** Its row first: a task that runs is always known, and one that was never sent can be sent again. */
  readonly #sendTracked = async (
    prepared: PreparedTask,
    options: SendOptions,
    links: Pick<NewTask, 'next' | 'groupId' | 'flowEnd'> = {},
  ): Promise<void> => {
    const { taskId, task, queue, payloadHash, notBefore, depth, trace, subject, onEnd } = prepared;
    const { parentId } = options;
    const traceparent = formatTraceparent(trace);
    const records = this.#store({ name: task });
    const what = { taskId, task, queue, payloadHash, subject };
    const noted = { ...what, notBefore, parentId, traceparent, onEnd, ...links };
    if (!(await records.create({ ...noted, ...(depth > 0 && { depth }) }))) return;
    try {
      await this.#deliver(prepared, FIRST_MESSAGE);
    } catch (error) {
      // If SQS has taken it all the same, its claim makes it known again, except what follows it and whom its sender named
      const { taskId: own, deduplicationKey, onEnd: another } = options;
      const known = !links.next && links.groupId === undefined && another === undefined;
      // Under an id that others may send by, the row stays: another may have sent it
      if (known && own === undefined && deduplicationKey === undefined)
        await records.forget(taskId).catch(() => undefined);
      throw error;
    }
  };

  async #deliver(
    { task, queue, body, delaySeconds }: Pick<PreparedTask, 'task' | 'queue' | 'body' | 'delaySeconds'>,
    notes?: Notes,
  ) {
    try {
      await this.#senderOf(queue).send(body, delaySeconds, notes);
    } catch (cause) {
      throw sendError(task, queue, cause);
    }
  }

  #senderOf(queue: string): QueueSender {
    const sender = this.#senders.get(queue) ?? new QueueSender(this.#sqs, this.#queueUrls.of(queue));
    this.#senders.set(queue, sender);
    return sender;
  }

  /** What delays are counted from: the task store's time for tasks that it keeps, else the broker's. */
  async #now(contract: TaskContract): Promise<number> {
    return contract.tracked ? this.#store(contract).now() : this.#clock.nowMs;
  }

  #store({ name }: Pick<TaskContract, 'name'>): TaskRecords {
    if (this.#records) return this.#records;
    throw new TypeError(
      `${name} needs a task store: expected the TaskClient to be made with the task store as "records"`,
    );
  }
}

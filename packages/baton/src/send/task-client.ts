import { createHash } from 'node:crypto';
import { GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { v5 as uuidv5 } from 'uuid';
import type { z } from 'zod';
import { formatTraceparent, startTrace, type TraceContext } from '../telemetry/trace-context.ts';
import { allDone, type ForwardTask, TaskContinuation } from './task-continuation.ts';
import { ClockWatch } from '../time/clock-watch.ts';
import { checkedListeners, listenersOf } from './end-listeners.ts';
import {
  checkedDelay,
  checkedDepth,
  checkedLinks,
  checkedSubject,
  checkedTaskId,
  isDelayed,
  namespaceOf,
} from './send-checks.ts';
import { BrokenAnswerError } from '../aws/answers.ts';
import { sentPayload } from '../task/contract-values.ts';
import { encodeEnvelope, type Envelope, sourceSchema } from '../sqs/envelope.ts';
import { TaskTooLargeError } from '../task/errors.ts';
import { type Chain, type Join } from '../task/flow.ts';
import {
  type FlowEnd,
  flowEndOf,
  type Listener,
  nextTask,
  type NextTask,
  withFlowEnd,
} from '../task/next-task.ts';
import { laneWhereDeclared, queueOfLane } from '../task/lane.ts';
import type { Notes } from '../task/outcome.ts';
import { FIRST_MESSAGE } from '../sqs/put-back.ts';
import { MAX_MESSAGE_BYTES, QueueSender, sendError } from '../sqs/queue-sender.ts';
import type { QueueUrls } from '../sqs/queue-urls.ts';
import { type SendOptions, type SendTask, type TaskHandle } from '../task/send-task.ts';
import { KeptTaskHandle } from './task-handle.ts';
import type { TaskContract, TrackedContract } from '../task/task.ts';
import type { NewTask, TaskRecords } from './task-records.ts';
import type { TaskStatus } from '../task/task-status.ts';

/** What a task client needs. */
export interface TaskClientOptions {
  readonly sqs: SQSClient;
  readonly queueUrls: QueueUrls;
  /** The sending service's name, `^[a-z0-9-]+$`; it stands in every envelope. */
  readonly source: string;
  /** The task store; tracked tasks cannot be sent without it. */
  readonly records?: TaskRecords;
}

/** A task as it is put on the wire. */
interface Prepared extends NextTask {
  readonly body: string;
  readonly delaySeconds: number;
  readonly notBefore: string | undefined;
  readonly depth: number;
  readonly payloadHash: string;
  readonly trace: TraceContext;
  readonly subject: string | undefined;
  readonly onEnd: readonly Listener[] | undefined;
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
  readonly send: SendTask = async (contract, payload, options = {}) => {
    // Most tasks are not put off: no time is needed
    const nowMs = isDelayed(options) ? await this.#now(contract) : 0;
    const prepared = this.#prepare(contract, payload, options, nowMs);
    const { taskId } = prepared;
    if (!contract.tracked) {
      await this.#deliver(prepared);
      return { taskId } as never;
    }
    await this.#sendTracked(prepared, options);
    return this.handle(contract as TrackedContract, taskId);
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
    flow: Join<Result, Lane>,
    options?: SendOptions<NoInfer<Lane>>,
  ): Promise<TaskHandle<Result>>;
  async start(flow: Chain | Join, ...rest: unknown[]): Promise<TaskHandle> {
    if (flow.kind === 'chain') return this.#startChain(flow, rest[0], rest[1] ?? {});
    return this.#startJoin(flow, rest[0] ?? {});
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
    const body = this.#encode(next, data, { ...sent, flowEnd: next.flowEnd });
    await this.#deliver({ ...next, body, delaySeconds: 0 }, FIRST_MESSAGE);
  };

  /** Resolves when the queue of a contract answers; for a health check. */
  async ping({ queue }: Pick<TaskContract, 'queue'>): Promise<void> {
    const { Attributes } = await this.#sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: this.#queueUrls.of(queue), AttributeNames: ['QueueArn'] }),
    );
    if (!Attributes?.['QueueArn']) throw new BrokenAnswerError('GetQueueAttributes', 'it has no QueueArn');
  }

  async #startChain({ steps }: Chain, payload: unknown, options: SendOptions): Promise<TaskHandle> {
    const firstId = checkedTaskId(options, 'chain');
    const ids = [firstId, ...laterStepIds(firstId, steps.length)];
    steps.forEach(({ name }, index) =>
      checkedDepth(options, name, index, `step ${index + 1} of ${steps.length}`),
    );
    const laneOf = laneWhereDeclared(steps, options.lane);
    const planned = withFlowEnd(steps.map((step, index) => nextTask(step, ids[index] ?? '', laneOf(step))));
    const [first, ...later] = planned;
    const [contract] = steps;
    const last = planned.at(-1);
    const lastContract = steps.at(-1);
    if (!first || !contract || !last || !lastContract) throw new RangeError('A chain has at least two tasks');
    const { deduplicationKey: _key, onEnd, ...sending } = options;
    const told = checkedListeners(lastContract, { onEnd });
    const nowMs = await this.#now(contract);
    const own = { ...sending, taskId: first.taskId, lane: laneOf(contract) };
    const prepared = this.#prepare(contract, payload, own, nowMs, first.flowEnd);
    const { notBefore, subject, trace } = prepared;
    const noted = {
      parentId: options.parentId,
      traceparent: formatTraceparent(trace),
      notBefore,
      subject,
    };
    // From the last on, so that a step is known before the one that sends it
    const links = later.map(({ taskId, task, queue }, index) => ({
      ...noted,
      depth: prepared.depth + index + 1,
      taskId,
      task,
      queue,
      next: later[index + 1],
      onEnd: taskId === last.taskId ? told : listenersOf(steps[index + 1] ?? contract),
    }));
    for (const link of links.toReversed()) await this.#store(contract).create(link);
    await this.#sendTracked(prepared, options, { next: later[0] });
    return new KeptTaskHandle(this.#store(contract), lastContract, last.taskId, () => this.#cancelChain(ids));
  }

  async #startJoin({ members, next: joining }: Join, options: SendOptions): Promise<TaskHandle> {
    const groupId = checkedTaskId(options, 'group');
    const records = this.#store(joining);
    const laneOf = laneWhereDeclared([joining, ...members.map(({ contract }) => contract)], options.lane);
    const next = nextTask(joining, uuidv5('then', namespaceOf(groupId)), laneOf(joining));
    const { deduplicationKey: _key, onEnd: another, ...sending } = options;
    const onEnd = checkedListeners(joining, { onEnd: another });
    const trace = options.trace === undefined ? startTrace() : options.trace;
    const depth = checkedDepth(options, joining.name, 1, 'which follows the group');
    const nowMs = await records.now();
    const flowEnd = flowEndOf(next);
    const prepared = members.map(({ contract, payload }, index) => {
      const taskId = uuidv5(String(index), namespaceOf(groupId));
      const own = { ...sending, trace, taskId, lane: laneOf(contract) };
      return this.#prepare(contract, payload, own, nowMs, flowEnd);
    });
    const memberIds = prepared.map(({ taskId }) => taskId);
    const { notBefore, subject } = prepared.at(-1) ?? {};
    const noted = { parentId: options.parentId, traceparent: formatTraceparent(trace), notBefore, subject };
    const { taskId, task, queue } = next;
    await records.create({ ...noted, depth, taskId, task, queue, onEnd });
    await records.groups.create({ groupId, memberIds, next, notBefore });
    await Promise.all(prepared.map((each) => this.#sendTracked(each, options, { groupId, flowEnd })));
    return new KeptTaskHandle(records, joining, next.taskId, async () => {
      const statuses = await allDone([...memberIds, next.taskId].map((id) => this.cancel(id)));
      return statuses.at(-1);
    });
  }

  /** The first step that has not ended takes all after it along. */
  async #cancelChain(ids: readonly string[]): Promise<TaskStatus | undefined> {
    for (const taskId of ids) if ((await this.cancel(taskId))?.state === 'cancelled') break;
    return this.#store({ name: 'A step' }).find(ids.at(-1) ?? '');
  }

  #prepare(
    contract: TaskContract,
    payload: unknown,
    options: SendOptions,
    nowMs: number,
    flowEnd?: FlowEnd,
  ): Prepared {
    const { name: task, version } = contract;
    const queue = queueOfLane(contract, options.lane);
    const taskId = checkedTaskId(options, task);
    const { delaySeconds, notBefore } = checkedDelay(contract, options, nowMs);
    const subject = checkedSubject(options);
    const onEnd = checkedListeners(contract, options);
    const { trace, parentId, depth } = checkedLinks(options, task);
    const data = sentPayload(contract, payload);
    // SQS itself keeps a short delay; what is longer is looked at when it comes
    const held = contract.tracked ? { notBefore, parentId, flowEnd } : {};
    const body = this.#encode({ taskId, task, version, queue }, data, { trace, subject, depth, ...held });
    const payloadHash = createHash('sha256')
      .update(JSON.stringify(data) ?? '')
      .digest('base64url');
    const noted = { notBefore, depth, payloadHash, trace, subject, onEnd };
    return { taskId, task, queue, body, delaySeconds, ...noted };
  }

  #encode(
    { taskId, task, version }: NextTask,
    data: unknown,
    extensions: Pick<Envelope, 'trace' | 'subject' | 'notBefore' | 'parentId' | 'depth' | 'flowEnd'>,
  ): string {
    const time = new Date(this.#clock.nowMs).toISOString();
    const body = encodeEnvelope({ taskId, task, version, source: this.#source, time, ...extensions, data });
    const bytes = Buffer.byteLength(body);
    if (bytes <= MAX_MESSAGE_BYTES) return body;
    throw new TaskTooLargeError(task, bytes, MAX_MESSAGE_BYTES);
  }

  /** Its row first: a task that runs is always known, and one that was never sent can be sent again. */
  async #sendTracked(
    prepared: Prepared,
    options: SendOptions,
    links: Pick<NewTask, 'next' | 'groupId' | 'flowEnd'> = {},
  ): Promise<void> {
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
  }

  async #deliver(
    { task, queue, body, delaySeconds }: Pick<Prepared, 'task' | 'queue' | 'body' | 'delaySeconds'>,
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
      `${name} is a tracked task; the TaskClient that sends it needs its task store as "records"`,
    );
  }
}

/** The ids of a chain's second task and those after it, by the id of the first. */
export function laterStepIds(firstId: string, steps: number): string[] {
  return Array.from({ length: steps - 1 }, (_, index) => uuidv5(String(index + 1), namespaceOf(firstId)));
}

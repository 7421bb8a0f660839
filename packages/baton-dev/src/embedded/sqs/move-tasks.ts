// The redrive of the embedded SQS: tasks that move messages out of a dead-letter queue.
import { randomUUID } from 'node:crypto';
import {
  type Body,
  type CreateMessage,
  type FauxqsQueue,
  type FauxqsStore,
  type Handler,
  Refusal,
} from './fauxqs-internals.ts';

const STEP_MS = 20;
const STEPS_A_SECOND = 1000 / STEP_MS;
/** AWS: "StartMessageMoveTask". */
const MAX_A_SECOND = 500;
/** AWS: "ListMessageMoveTasks". */
const MAX_LISTED = 10;

type Status = 'RUNNING' | 'COMPLETED' | 'CANCELLED' | 'FAILED';

/** A task that moves messages out of a dead-letter queue. */
interface MoveTask {
  readonly handle: string;
  readonly source: FauxqsQueue;
  readonly destinationArn: string | undefined;
  readonly perSecond: number | undefined;
  readonly startedAtMs: number;
  readonly toMove: number;
  moved: number;
  /** How many messages its rate allows to move now. */
  allowance: number;
  status: Status;
  failure?: string;
}

const tasksOf = new WeakMap<FauxqsStore, MoveTask[]>();

/** The actions of SQS's redrive, which fauxqs lacks, as AWS documents them. Limit: standard queues only. */
export function moveTaskHandlers(createMessage: CreateMessage): Readonly<Record<string, Handler>> {
  return {
    StartMessageMoveTask: (body, store) => start(body, store, createMessage),
    ListMessageMoveTasks: list,
    CancelMessageMoveTask: cancel,
  };
}

function start(
  { SourceArn, DestinationArn, MaxNumberOfMessagesPerSecond }: Body,
  store: FauxqsStore,
  createMessage: CreateMessage,
): object {
  const source = queueOf(SourceArn, 'SourceArn', store);
  const destination =
    DestinationArn === undefined ? undefined : queueOf(DestinationArn, 'DestinationArn', store);
  if (!isDeadLetterQueue(source, store))
    throw invalid('Source queue must be configured as a Dead Letter Queue.');
  if (destination === source) throw invalid('Source queue arn and destination queue arn cannot be the same.');
  if (source.isFifo() || destination?.isFifo())
    throw new Refusal('UnsupportedOperation', 'The embedded SQS moves messages of standard queues only.');
  const tasks = tasksOf.get(store) ?? [];
  if (tasks.some((task) => task.source === source && task.status === 'RUNNING'))
    throw invalid(
      'There is already a task running. Only one active task is allowed for a source queue arn at a given time.',
    );
  source.processTimers();
  const task: MoveTask = {
    handle: Buffer.from(JSON.stringify({ taskId: randomUUID(), sourceArn: source.arn })).toString('base64'),
    source,
    destinationArn: destination?.arn,
    perSecond: MaxNumberOfMessagesPerSecond as number | undefined,
    startedAtMs: Date.now(),
    toMove: source.messages.length,
    moved: 0,
    allowance: 0,
    status: 'RUNNING',
  };
  tasksOf.set(store, [task, ...tasks]);
  setTimeout(() => step(task, store, createMessage), STEP_MS).unref();
  return { TaskHandle: task.handle };
}

function list({ SourceArn, MaxResults = 1 }: Body, store: FauxqsStore): object {
  const source = queueOf(SourceArn, 'SourceArn', store);
  const tasks = (tasksOf.get(store) ?? []).filter((task) => task.source === source);
  return { Results: tasks.slice(0, Math.min(Number(MaxResults), MAX_LISTED)).map(describe) };
}

function cancel({ TaskHandle }: Body, store: FauxqsStore): object {
  const task = tasksOf.get(store)?.find(({ handle }) => handle === TaskHandle);
  if (!task) throw new Refusal('ResourceNotFoundException', 'Task does not exist.');
  if (task.status !== 'RUNNING')
    throw new Refusal('UnsupportedOperation', 'Only active tasks can be cancelled.');
  task.status = 'CANCELLED';
  return { ApproximateNumberOfMessagesMoved: task.moved };
}

/** Moves as many messages as the rate allows, then waits for the next step, until all that were there are moved. */
function step(task: MoveTask, store: FauxqsStore, createMessage: CreateMessage): void {
  if (task.status !== 'RUNNING') return;
  task.allowance += (task.perSecond ?? MAX_A_SECOND) / STEPS_A_SECOND;
  for (; task.allowance >= 1 && task.status === 'RUNNING'; task.allowance -= 1) {
    if (task.moved >= task.toMove || task.source.messages.length === 0) task.status = 'COMPLETED';
    else move(task, store, createMessage);
  }
  if (task.status === 'RUNNING') setTimeout(() => step(task, store, createMessage), STEP_MS).unref();
}

/** A moved message is a new one, with the same body and attributes. */
function move(task: MoveTask, store: FauxqsStore, createMessage: CreateMessage): void {
  const message = task.source.messages.shift();
  if (!message) return;
  const arn = task.destinationArn ?? message.sourceArn;
  const destination = arn === undefined ? undefined : store.getQueueByArn(arn);
  if (!destination) {
    task.source.messages.push(message);
    task.status = 'FAILED';
    task.failure =
      arn === undefined ? 'CouldNotDetermineMessageSource' : 'AWS.SimpleQueueService.NonExistentQueue';
    return;
  }
  task.source.persistence?.deleteMessage(message.messageId);
  destination.enqueue(createMessage(message.body, message.messageAttributes));
  task.moved += 1;
}

function describe(task: MoveTask): object {
  const { handle, status, source, destinationArn, perSecond, moved, toMove, failure, startedAtMs } = task;
  return {
    ...(status === 'RUNNING' && { TaskHandle: handle }),
    Status: status,
    SourceArn: source.arn,
    DestinationArn: destinationArn,
    MaxNumberOfMessagesPerSecond: perSecond,
    ApproximateNumberOfMessagesMoved: moved,
    ApproximateNumberOfMessagesToMove: toMove,
    FailureReason: failure,
    StartedTimestamp: startedAtMs,
  };
}

function queueOf(arn: unknown, parameter: string, store: FauxqsStore): FauxqsQueue {
  const queue = typeof arn === 'string' ? store.getQueueByArn(arn) : undefined;
  if (queue) return queue;
  const message = `The resource that you specified for the ${parameter} parameter doesn't exist.`;
  throw new Refusal('ResourceNotFoundException', message);
}

function isDeadLetterQueue({ arn }: FauxqsQueue, store: FauxqsStore): boolean {
  return [...store.allQueues()].some(({ attributes }) => {
    const policy = JSON.parse(attributes['RedrivePolicy'] || '{}') as { deadLetterTargetArn?: string };
    return policy.deadLetterTargetArn === arn;
  });
}

function invalid(message: string): Error {
  return new Refusal('InvalidParameterValue', message);
}

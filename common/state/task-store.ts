import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import {
  BatchGetCommand,
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { TaskConflictError } from '../queue/errors.ts';
import {
  isFinal,
  type NewGroup,
  type NewTask,
  type Progress,
  type TaskFailure,
  type TaskRecords,
  type TaskState,
  type TaskStatus,
} from '../queue/tracking.ts';
import { ALL_TASKS, DEFAULT_TTL_DAYS, type GroupRow, statusOf, type TaskRow } from './task-row.ts';

const DAY_SECONDS = 86_400;
/** DynamoDB gives so many rows in one BatchGetItem. */
const MAX_BATCH_GET = 100;

/** Where a task store keeps its rows. */
export interface TaskStoreOptions {
  readonly documents: DynamoDBDocumentClient;
  readonly table: string;
  /** How long a task is known after it was sent, and again after it has ended, in days. Default 14. */
  readonly ttlDays?: number;
  /** The time in milliseconds since 1970. Default: the system's. */
  readonly now?: () => number;
}

/** Who claims a task, and as what it is known where its row is not there. */
export interface ClaimRow {
  readonly taskId: string;
  readonly task: string;
  readonly queue: string;
  readonly traceparent?: string | undefined;
  readonly claimId: string;
  readonly owner: string;
  readonly leaseSeconds: number;
}

/** One attempt's hold on a row. */
export interface HeldRow {
  readonly taskId: string;
  readonly claimId: string;
  readonly token: number;
}

/** How an attempt leaves its row. */
export interface Conclusion {
  readonly state: Exclude<TaskState, 'running' | 'cancelled'>;
  /** JSON. */
  readonly result?: string | undefined;
  readonly error?: TaskFailure | undefined;
  /** Whether the attempt counts; default true. */
  readonly counts?: boolean;
  readonly progress?: Progress | undefined;
}

type Values = Readonly<Record<string, unknown>>;

/**
 * The states of tracked tasks, a row each. Every change is one conditional write; one that carries the token of an
 * attempt changes nothing once another attempt has begun, so a worker whose lease was taken over can write nothing.
 */
export class TaskStore implements TaskRecords {
  readonly #documents: DynamoDBDocumentClient;
  readonly #table: string;
  readonly #ttlSeconds: number;
  readonly #now: () => number;

  constructor({ documents, table, ttlDays = DEFAULT_TTL_DAYS, now = Date.now }: TaskStoreOptions) {
    this.#documents = documents;
    this.#table = table;
    this.#ttlSeconds = ttlDays * DAY_SECONDS;
    this.#now = now;
  }

  async create(task: NewTask): Promise<boolean> {
    const at = this.#iso();
    const row: TaskRow = {
      ...task,
      state: 'queued',
      attempts: 0,
      token: 0,
      effects: {},
      createdAt: at,
      updatedAt: at,
      listedAt: `${at}#${task.taskId}`,
      listedIn: ALL_TASKS,
      expiresAt: this.#expiry(task.notBefore),
    };
    const written = await this.#unlessRefused(
      new PutCommand({
        TableName: this.#table,
        Item: row,
        ConditionExpression: 'attribute_not_exists(taskId) OR expiresAt < :now',
        ExpressionAttributeValues: { ':now': this.#seconds() },
      }),
    );
    if (written) return true;
    const known = await this.read(task.taskId);
    if (known && (known.task !== task.task || known.payloadHash !== task.payloadHash))
      throw new TaskConflictError(
        `The task id ${task.taskId} belongs to another ${known.task === task.task ? 'payload of ' : ''}${known.task}`,
      );
    // It may never have been sent; a second message of a tracked task does no harm
    return known === undefined || known.state === 'queued';
  }

  async createGroup({ groupId, memberIds, next }: NewGroup): Promise<void> {
    const row: GroupRow = { taskId: groupId, memberIds, next, expiresAt: this.#expiry() };
    await this.#unlessRefused(
      new PutCommand({
        TableName: this.#table,
        Item: row,
        ConditionExpression: 'attribute_not_exists(taskId)',
      }),
    );
  }

  async forget(taskId: string): Promise<void> {
    await this.#unlessRefused(
      new DeleteCommand({
        TableName: this.#table,
        Key: { taskId },
        ConditionExpression: '#state = :queued AND attempts = :zero',
        ExpressionAttributeNames: { '#state': 'state' },
        ExpressionAttributeValues: { ':queued': 'queued', ':zero': 0 },
      }),
    );
  }

  async find(taskId: string): Promise<TaskStatus | undefined> {
    const row = await this.read(taskId);
    return row && statusOf(row);
  }

  /** The row of a task, unless it has expired. */
  async read(taskId: string): Promise<TaskRow | undefined> {
    const { Item } = await this.#documents.send(
      new GetCommand({ TableName: this.#table, Key: { taskId }, ConsistentRead: true }),
    );
    const row = Item as TaskRow | undefined;
    // A group stands in the same table under an id that no task has
    return row && row.state !== undefined && row.expiresAt >= this.#seconds() ? row : undefined;
  }

  /** The rows of several tasks, in the order of their ids; those that are not there are left out. */
  async readAll(taskIds: readonly string[]): Promise<TaskRow[]> {
    const rows = new Map<string, TaskRow>();
    for (let from = 0; from < taskIds.length; from += MAX_BATCH_GET) {
      let keys = taskIds
        .slice(from, from + MAX_BATCH_GET)
        .map((taskId): Record<string, unknown> => ({ taskId }));
      while (keys.length > 0) {
        const { Responses = {}, UnprocessedKeys = {} } = await this.#documents.send(
          new BatchGetCommand({ RequestItems: { [this.#table]: { Keys: keys, ConsistentRead: true } } }),
        );
        for (const row of (Responses[this.#table] ?? []) as TaskRow[]) rows.set(row.taskId, row);
        keys = UnprocessedKeys[this.#table]?.Keys ?? [];
      }
    }
    return taskIds.flatMap((taskId) => rows.get(taskId) ?? []);
  }

  async cancel(taskId: string): Promise<TaskStatus | undefined> {
    const at = this.#iso();
    const cancelled = await this.#update(
      taskId,
      '#state IN (:queued, :retrying, :running) AND expiresAt >= :now',
      'SET #state = :cancelled, finishedAt = :at, updatedAt = :at, expiresAt = :expires REMOVE #owner, leaseUntilMs',
      {
        ':queued': 'queued',
        ':retrying': 'retrying',
        ':running': 'running',
        ':cancelled': 'cancelled',
        ':now': this.#seconds(),
        ':at': at,
        ':expires': this.#expiry(),
      },
    );
    if (cancelled) return statusOf(cancelled);
    const known = await this.find(taskId);
    // Sent anew, or put back from the dead letters, between the two: only what has ended stays as it is
    return known && !isFinal(known.state) ? this.cancel(taskId) : known;
  }

  /**
   * Begins an attempt: of a task that waits, of one whose attempt's lease has ended, of one that is not known yet.
   * Resolves to the row, which is another attempt's, or a task's that has ended, where its `claimId` is not this one's.
   */
  async claim(request: ClaimRow): Promise<TaskRow | undefined> {
    const { taskId, task, queue, traceparent, claimId, owner, leaseSeconds } = request;
    const at = this.#iso();
    const row = await this.#update(
      taskId,
      'attribute_not_exists(taskId) OR #state IN (:queued, :retrying) OR (#state = :running AND leaseUntilMs < :nowMs)',
      [
        'SET #state = :running, claimId = :claimId, #owner = :owner, leaseUntilMs = :untilMs, updatedAt = :at',
        '#token = if_not_exists(#token, :zero) + :one, attempts = if_not_exists(attempts, :zero) + :one',
        'startedAt = if_not_exists(startedAt, :at), createdAt = if_not_exists(createdAt, :at)',
        'task = if_not_exists(task, :task), queue = if_not_exists(queue, :queue)',
        'effects = if_not_exists(effects, :none), expiresAt = if_not_exists(expiresAt, :expires)',
        'listedAt = if_not_exists(listedAt, :listedAt), listedIn = if_not_exists(listedIn, :listedIn)',
        ...(traceparent === undefined ? [] : ['traceparent = if_not_exists(traceparent, :traceparent)']),
      ].join(', '),
      {
        ':queued': 'queued',
        ':retrying': 'retrying',
        ':running': 'running',
        ':nowMs': this.#now(),
        ':claimId': claimId,
        ':owner': owner,
        ':untilMs': this.#now() + leaseSeconds * 1000,
        ':at': at,
        ':zero': 0,
        ':one': 1,
        ':task': task,
        ':queue': queue,
        ':none': {},
        ':expires': this.#expiry(),
        ':listedAt': `${at}#${taskId}`,
        ':listedIn': ALL_TASKS,
        ...(traceparent !== undefined && { ':traceparent': traceparent }),
      },
    );
    return row ?? this.read(taskId);
  }

  /**
   * Has a task begin anew that is dead or has failed, with none of its attempts used up: somebody has put back the dead
   * letter that was set aside at `deadAt`, ISO 8601. One that has ended again since then stays as it is.
   */
  async revive(taskId: string, deadAt: string): Promise<void> {
    await this.#update(
      taskId,
      '#state IN (:dead, :failed) AND finishedAt <= :deadAt',
      'SET #state = :queued, attempts = :zero, updatedAt = :at REMOVE finishedAt',
      {
        ':dead': 'dead',
        ':failed': 'failed',
        ':deadAt': deadAt,
        ':queued': 'queued',
        ':zero': 0,
        ':at': this.#iso(),
      },
    );
  }

  /** Holds an attempt's row for so long from now. Resolves to whether it is still that attempt's. */
  async renew(held: HeldRow, leaseSeconds: number): Promise<boolean> {
    return this.#write(held, 'SET leaseUntilMs = :untilMs', {
      ':untilMs': this.#now() + leaseSeconds * 1000,
    });
  }

  /** Notes what a handler says of itself. Resolves to whether the row is still that attempt's. */
  async progress(held: HeldRow, progress: Progress): Promise<boolean> {
    return this.#write(held, 'SET progress = :progress, updatedAt = :at', {
      ':progress': { ...progress, at: this.#iso() },
      ':at': this.#iso(),
    });
  }

  /** Keeps what an effect gave, as JSON. Resolves to whether the row is still that attempt's. */
  async keepEffect(held: HeldRow, key: string, result: string): Promise<boolean> {
    return this.#write(held, 'SET effects.#key = :result', { ':result': result }, { '#key': key });
  }

  /** Ends an attempt. Resolves to whether the row was still that attempt's. */
  async conclude(held: HeldRow, conclusion: Conclusion): Promise<boolean> {
    const { state, result, error, counts = true, progress } = conclusion;
    const at = this.#iso();
    const final = state === 'succeeded' || state === 'failed' || state === 'dead';
    const sets = [
      'SET #state = :state, updatedAt = :at',
      ...(final ? ['finishedAt = :at, expiresAt = :expires'] : []),
      ...(result === undefined ? [] : ['#result = :result']),
      ...(error === undefined ? [] : ['#error = :error']),
      ...(progress === undefined ? [] : ['progress = :progress']),
      ...(counts ? [] : ['attempts = attempts - :one']),
    ];
    const removed = ['#owner', 'leaseUntilMs', ...(state === 'succeeded' ? ['#error'] : [])];
    return this.#write(
      held,
      `${sets.join(', ')} REMOVE ${removed.join(', ')}`,
      {
        ':state': state,
        ':at': at,
        ...(final && { ':expires': this.#expiry() }),
        ...(result !== undefined && { ':result': result }),
        ...(error !== undefined && { ':error': error }),
        ...(progress !== undefined && {
          ':progress': {
            ...progress,
            at,
          },
        }),
        ...(!counts && { ':one': 1 }),
      },
      {
        ...(result !== undefined && { '#result': 'result' }),
        ...((error !== undefined || state === 'succeeded') && { '#error': 'error' }),
      },
    );
  }

  /** Notes that a member of a group has succeeded. Resolves to the group as it is then. */
  async memberDone(groupId: string, taskId: string): Promise<GroupRow | undefined> {
    const { Attributes } = await this.#documents.send(
      new UpdateCommand({
        TableName: this.#table,
        Key: { taskId: groupId },
        UpdateExpression: 'ADD done :member',
        ExpressionAttributeValues: { ':member': new Set([taskId]) },
        ReturnValues: 'ALL_NEW',
      }),
    );
    return Attributes as GroupRow | undefined;
  }

  /** The group of that id. */
  async readGroup(groupId: string): Promise<GroupRow | undefined> {
    const { Item } = await this.#documents.send(
      new GetCommand({ TableName: this.#table, Key: { taskId: groupId }, ConsistentRead: true }),
    );
    return Item as GroupRow | undefined;
  }

  /** Resolves when the table can be read. */
  async ping(): Promise<void> {
    await this.read('ping');
  }

  /** Writes as an attempt. A write whose answer was lost and that the SDK made again has been made. */
  async #write(
    { taskId, token }: HeldRow,
    update: string,
    values: Values,
    names: Readonly<Record<string, string>> = {},
  ): Promise<boolean> {
    const condition = '#state = :running AND #token = :token';
    const row = await this.#update(
      taskId,
      condition,
      update,
      { ...values, ':running': 'running', ':token': token },
      names,
    );
    return row !== undefined;
  }

  /** Gives the row as it is after the update; `undefined` where its condition did not hold. */
  async #update(
    taskId: string,
    condition: string,
    update: string,
    values: Values,
    names: Readonly<Record<string, string>> = {},
  ): Promise<TaskRow | undefined> {
    const text = `${condition} ${update}`;
    const reserved = { '#state': 'state', '#owner': 'owner', '#token': 'token' };
    const used = Object.entries(reserved).filter(([name]) => text.includes(name));
    const answer = await this.#unlessRefused(
      new UpdateCommand({
        TableName: this.#table,
        Key: { taskId },
        ConditionExpression: condition,
        UpdateExpression: update,
        ExpressionAttributeNames: { ...Object.fromEntries(used), ...names },
        ExpressionAttributeValues: values,
        ReturnValues: 'ALL_NEW',
      }),
    );
    return answer && (answer as { Attributes?: TaskRow }).Attributes;
  }

  /** The answer to a conditional write; `undefined` where the condition did not hold. */
  async #unlessRefused(command: PutCommand | UpdateCommand | DeleteCommand): Promise<object | undefined> {
    try {
      return await this.#documents.send(command as UpdateCommand);
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return undefined;
      throw error;
    }
  }

  #iso(): string {
    return new Date(this.#now()).toISOString();
  }

  #seconds(): number {
    return Math.floor(this.#now() / 1000);
  }

  #expiry(notBefore?: string): number {
    const fromMs = Math.max(this.#now(), notBefore === undefined ? 0 : Date.parse(notBefore));
    return Math.floor(fromMs / 1000) + this.#ttlSeconds;
  }
}

import { BatchGetCommand, DeleteCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { TaskConflictError } from '../queue/errors.ts';
import {
  isFinal,
  type NewTask,
  type Progress,
  type TaskFailure,
  type TaskRecords,
  type TaskState,
  type TaskStatus,
} from '../queue/tracking.ts';
import { TaskGroups } from './task-groups.ts';
import { ALL_TASKS, statusOf, type TaskRow } from './task-row.ts';
import { TaskSchedules } from './task-schedules.ts';
import { type RowValues, TaskTable, type TaskTableOptions } from './task-table.ts';

/** DynamoDB gives so many rows in one BatchGetItem. */
/** The clock of a worker may be ahead of the sender's by so much. */
const CLOCKS_DIFFER_MS = 1000;
const MAX_BATCH_GET = 100;

/** Who claims a task, and as what it is known where its row is not there. */
export interface ClaimRow {
  readonly taskId: string;
  readonly task: string;
  readonly queue: string;
  readonly traceparent?: string | undefined;
  readonly parentId?: string | undefined;
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

/**
 * The states of tracked tasks, a row each. Every change is one conditional write; one that carries the token of an
 * attempt changes nothing once another attempt has begun, so a worker whose lease was taken over can write nothing.
 */
export class TaskStore implements TaskRecords {
  readonly groups: TaskGroups;
  readonly schedules: TaskSchedules;
  readonly #table: TaskTable;

  constructor(options: TaskTableOptions) {
    this.#table = new TaskTable(options);
    this.groups = new TaskGroups(this.#table);
    this.schedules = new TaskSchedules(this.#table);
  }

  async create(task: NewTask): Promise<boolean> {
    const at = this.#table.iso;
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
      expiresAt: this.#table.expiry(task.notBefore),
    };
    const written = await this.#table.unlessRefused(
      new PutCommand({
        TableName: this.#table.name,
        Item: row,
        ConditionExpression: 'attribute_not_exists(taskId) OR expiresAt < :now',
        ExpressionAttributeValues: { ':now': this.#table.seconds },
      }),
    );
    if (written) return true;
    const known = await this.read(task.taskId);
    if (known && !isSame(known, task))
      throw new TaskConflictError(
        `The task id ${task.taskId} belongs to another ${known.task === task.task ? 'payload of ' : ''}${known.task}`,
      );
    // It may never have been sent; a second message of a tracked task does no harm
    return known === undefined || known.state === 'queued';
  }

  async forget(taskId: string): Promise<void> {
    await this.#table.unlessRefused(
      new DeleteCommand({
        TableName: this.#table.name,
        Key: { taskId },
        // One that was begun and released has no attempts either, and effects that may be kept
        ConditionExpression: '#state = :queued AND #token = :zero',
        ExpressionAttributeNames: { '#state': 'state', '#token': 'token' },
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
    const row = (await this.#table.get(taskId)) as TaskRow | undefined;
    // Groups and schedules stand in the same table under ids that no task has
    return row && row.state !== undefined && row.expiresAt >= this.#table.seconds ? row : undefined;
  }

  /** The rows of several tasks, in the order of their ids; those that are not there are left out. */
  async readAll(taskIds: readonly string[]): Promise<TaskRow[]> {
    const rows = new Map<string, TaskRow>();
    for (let from = 0; from < taskIds.length; from += MAX_BATCH_GET) {
      let keys = taskIds
        .slice(from, from + MAX_BATCH_GET)
        .map((taskId): Record<string, unknown> => ({ taskId }));
      while (keys.length > 0) {
        const { Responses = {}, UnprocessedKeys = {} } = await this.#table.documents.send(
          new BatchGetCommand({ RequestItems: { [this.#table.name]: { Keys: keys, ConsistentRead: true } } }),
        );
        for (const row of (Responses[this.#table.name] ?? []) as TaskRow[]) rows.set(row.taskId, row);
        keys = UnprocessedKeys[this.#table.name]?.Keys ?? [];
      }
    }
    return taskIds.flatMap((taskId) => rows.get(taskId) ?? []);
  }

  /** @param error - why, where nobody asked for it: a step before it did not succeed, say */
  async cancel(taskId: string, error?: TaskFailure): Promise<TaskStatus | undefined> {
    const at = this.#table.iso;
    const cancelled = await this.#table.update(
      taskId,
      '#state IN (:queued, :retrying, :running) AND expiresAt >= :now',
      `SET #state = :cancelled, finishedAt = :at, updatedAt = :at, expiresAt = :expires${
        error ? ', #error = :error' : ''
      } REMOVE #owner, leaseUntilMs`,
      {
        ':queued': 'queued',
        ':retrying': 'retrying',
        ':running': 'running',
        ':cancelled': 'cancelled',
        ':now': this.#table.seconds,
        ':at': at,
        ':expires': this.#table.expiry(),
        ...(error && { ':error': error }),
      },
      error && { '#error': 'error' },
    );
    if (cancelled) return statusOf(cancelled);
    const known = await this.find(taskId);
    // Sent anew, or put back from the dead letters, between the two: only what has ended stays as it is
    return known && !isFinal(known.state) ? this.cancel(taskId, error) : known;
  }

  /**
   * Begins an attempt: of a task that waits, of one whose attempt's lease has ended, of one that is not known yet.
   * Resolves to the row, which is another attempt's, or a task's that has ended, where its `claimId` is not this one's.
   */
  async claim(request: ClaimRow): Promise<TaskRow | undefined> {
    const { taskId, task, queue, traceparent, parentId, claimId, owner, leaseSeconds } = request;
    const at = this.#table.iso;
    const row = await this.#table.update(
      taskId,
      `attribute_not_exists(taskId) OR (#state = :running AND leaseUntilMs < :nowMs) OR
        (#state IN (:queued, :retrying) AND (attribute_not_exists(notBefore) OR notBefore <= :due))`,
      [
        'SET #state = :running, claimId = :claimId, #owner = :owner, leaseUntilMs = :untilMs, updatedAt = :at',
        '#token = if_not_exists(#token, :zero) + :one, attempts = if_not_exists(attempts, :zero) + :one',
        'startedAt = if_not_exists(startedAt, :at), createdAt = if_not_exists(createdAt, :at)',
        'task = if_not_exists(task, :task), queue = if_not_exists(queue, :queue)',
        'effects = if_not_exists(effects, :none), expiresAt = :expires',
        'listedAt = if_not_exists(listedAt, :listedAt), listedIn = if_not_exists(listedIn, :listedIn)',
        ...(traceparent === undefined ? [] : ['traceparent = if_not_exists(traceparent, :traceparent)']),
        ...(parentId === undefined ? [] : ['parentId = if_not_exists(parentId, :parentId)']),
      ].join(', '),
      {
        ':queued': 'queued',
        ':retrying': 'retrying',
        ':running': 'running',
        ':nowMs': this.#table.nowMs,
        ':due': new Date(this.#table.nowMs + CLOCKS_DIFFER_MS).toISOString(),
        ':claimId': claimId,
        ':owner': owner,
        ':untilMs': this.#table.nowMs + leaseSeconds * 1000,
        ':at': at,
        ':zero': 0,
        ':one': 1,
        ':task': task,
        ':queue': queue,
        ':none': {},
        ':expires': this.#table.expiry(),
        ':listedAt': `${at}#${taskId}`,
        ':listedIn': ALL_TASKS,
        ...(traceparent !== undefined && { ':traceparent': traceparent }),
        ...(parentId !== undefined && { ':parentId': parentId }),
      },
    );
    // As it stands, though it may have expired: a task that has ended is not to be run again
    return row ?? ((await this.#table.get(taskId)) as TaskRow | undefined);
  }

  /**
   * Has a task begin anew that is dead or has failed, with none of its attempts used up: somebody has put back the dead
   * letter that was set aside at `deadAt`, ISO 8601. One that has ended again since then stays as it is.
   */
  async revive(taskId: string, deadAt: string): Promise<void> {
    await this.#table.update(
      taskId,
      '#state IN (:dead, :failed) AND finishedAt <= :deadAt',
      'SET #state = :queued, attempts = :zero, updatedAt = :at, expiresAt = :expires REMOVE finishedAt, #error, progress',
      {
        ':dead': 'dead',
        ':failed': 'failed',
        ':deadAt': deadAt,
        ':queued': 'queued',
        ':zero': 0,
        ':at': this.#table.iso,
        ':expires': this.#table.expiry(),
      },
      { '#error': 'error' },
    );
  }

  /** Holds an attempt's row for so long from now. Resolves to whether it is still that attempt's. */
  async renew(held: HeldRow, leaseSeconds: number): Promise<boolean> {
    return this.#write(held, 'SET leaseUntilMs = :untilMs', {
      ':untilMs': this.#table.nowMs + leaseSeconds * 1000,
    });
  }

  /** Notes what a handler says of itself. Resolves to whether the row is still that attempt's. */
  async progress(held: HeldRow, progress: Progress): Promise<boolean> {
    return this.#write(held, 'SET progress = :progress, updatedAt = :at', {
      ':progress': { ...progress, at: this.#table.iso },
      ':at': this.#table.iso,
    });
  }

  /** Keeps what an effect gave, as JSON. Resolves to whether the row is still that attempt's. */
  async keepEffect(held: HeldRow, key: string, result: string): Promise<boolean> {
    return this.#write(held, 'SET effects.#key = :result', { ':result': result }, { '#key': key });
  }

  /** Ends an attempt. Resolves to whether the row was still that attempt's. */
  async conclude(held: HeldRow, conclusion: Conclusion): Promise<boolean> {
    const { state, result, error, counts = true, progress } = conclusion;
    const at = this.#table.iso;
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
        ...(final && { ':expires': this.#table.expiry() }),
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

  /** Resolves when the table can be read. */
  async ping(): Promise<void> {
    await this.read('ping');
  }

  /** Writes as an attempt. A write whose answer was lost and that the SDK made again has been made. */
  async #write(
    { taskId, token }: HeldRow,
    update: string,
    values: RowValues,
    names: Readonly<Record<string, string>> = {},
  ): Promise<boolean> {
    const condition = '#state = :running AND #token = :token';
    const row = await this.#table.update(
      taskId,
      condition,
      update,
      { ...values, ':running': 'running', ':token': token },
      names,
    );
    return row !== undefined;
  }
}

/** A row that a claim had to make, of a task that was forgotten and had been sent, knows nothing of its payload. */
function isSame(known: TaskRow, { task, payloadHash, next, groupId }: NewTask): boolean {
  const madeByClaim = known.payloadHash === undefined && known.token > 0;
  if (known.task !== task) return false;
  if (madeByClaim) return true;
  // A step of another flow, too, is another task: something else follows it
  return (
    known.payloadHash === payloadHash && known.next?.taskId === next?.taskId && known.groupId === groupId
  );
}

// The task store: the states of tracked tasks, in a table of DynamoDB.
import { DeleteCommand } from '@aws-sdk/lib-dynamodb';
import type { ClockWatch } from '../time/clock-watch.ts';
import { TaskConflictError, TaskError } from '../task/errors.ts';
import type { PutBack } from '../sqs/put-back.ts';
import type { Signatures } from '../sqs/signatures.ts';
import { isFinal, TASK_STATES, type TaskFailure, type TaskStatus } from '../task/task-status.ts';
import { type Cancellation, type KeptTask, type NewTask, type TaskRecords } from '../send/task-records.ts';
import { isAfter } from '../send/flow-places.ts';
import { secretOf } from './claim-secret.ts';
import { isAbandoned, sameClaim, TaskAttempts } from './task-attempts.ts';
import { MessageReceives } from './message-receives.ts';
import { TaskGroups } from './task-groups.ts';
import { ALL_TASKS, OVER_AT_THE_END, statusOf, type TaskRow } from './task-row.ts';
import { type RowValues, TaskTable, type TaskTableOptions } from './task-table.ts';

/** How far the clocks of SQS (the times of messages) and DynamoDB (the times of ends) may differ. */
const CLOCKS_DIFFER_MS = 2000;
/** The most writes of one cancellation. Each fails only because the task has started or ended since the last. */
const MAX_CANCELLATIONS = 5;
/** The condition that a task follows another one. An earlier version wrote the later tasks of flows without `afterId`. */
const FOLLOWS = '(afterId = :afterId OR attribute_not_exists(afterId) AND attribute_not_exists(payloadHash))';
/** The most characters of a name of someone who cancels a task. */
const MAX_BY_CHARACTERS = 255;
/** The most rows of one BatchGetItem (Quotas in Amazon DynamoDB). */
const MAX_BATCH_GET = 100;

/** A task has a state that this version does not know: a later version wrote it. */
export class UnknownStateError extends TaskError {
  override readonly name = 'UnknownStateError';

  constructor(taskId: string, state: string) {
    super(
      `The task ${taskId} has the state ${JSON.stringify(state)}, which this version does not know: expected ${TASK_STATES.join(', ')}; deploy the version that wrote it`,
    );
  }
}

/** Decides which claims count as abandoned. */
export interface AbandonedClaims {
  /** The length of a claim whose row does not have it. */
  readonly leaseSeconds: number;
  /** The secrets of claims that their workers could not conclude, because the store did not answer. */
  readonly unconcluded: readonly string[];
}

/**
 * Keeps the states of tracked tasks, in a row for each. Every change is one conditional write. The writes of an attempt
 * carry its token and change nothing once another attempt has started, so a stale worker can write nothing.
 */
export class TaskStore implements TaskRecords {
  readonly attempts: TaskAttempts;
  readonly groups: TaskGroups;
  readonly receives: MessageReceives;
  readonly #table: TaskTable;

  constructor(options: TaskTableOptions) {
    this.#table = new TaskTable(options);
    this.attempts = new TaskAttempts(this.#table);
    this.groups = new TaskGroups(this.#table);
    this.receives = new MessageReceives(this.#table);
  }

  async create(task: NewTask): Promise<boolean> {
    await this.#table.timeKnown();
    const at = this.#table.iso;
    const row: Omit<TaskRow, 'attempts' | 'token'> = {
      ...task,
      state: 'queued',
      createdAt: at,
      updatedAt: at,
      listedAt: `${at}#${task.taskId}`,
      listedIn: ALL_TASKS,
      expiresAt: this.#table.expiry(task.notBefore),
    };
    if (await this.#table.create(row)) return true;
    const known = await this.read(task.taskId);
    if (known && !isSame(known, task))
      throw new TaskConflictError(
        `The task id ${task.taskId} belongs to another ${known.task === task.task ? 'payload of ' : ''}${known.task}`,
      );
    // It may not have been sent. A second message of a tracked task does no harm
    return known === undefined || known.state === 'queued';
  }

  async forget(taskId: string): Promise<void> {
    await this.#table.unlessRefused(
      new DeleteCommand({
        TableName: this.#table.name,
        Key: { taskId },
        // Not by `attempts`: a released task has none, but its effects may be kept
        ConditionExpression: '#state = :queued AND (attribute_not_exists(#token) OR #token = :zero)',
        ExpressionAttributeNames: { '#state': 'state', '#token': 'token' },
        ExpressionAttributeValues: { ':queued': 'queued', ':zero': 0 },
      }),
    );
  }

  /** Reads the status of a task. Resolves to undefined if its row has expired, or shows what Baton does not write. */
  async find(taskId: string): Promise<TaskStatus | undefined> {
    const row = await this.read(taskId);
    return row && statusOf(row);
  }

  /** Reads the row of a task. Resolves to undefined if it has expired. */
  async read(taskId: string): Promise<TaskRow | undefined> {
    const row = (await this.#table.get(taskId)) as TaskRow | undefined;
    // The table also holds groups and schedules, which have no state
    return row && row.state !== undefined && row.expiresAt >= this.#table.seconds ? row : undefined;
  }

  readResults(taskIds: readonly string[]): Promise<Pick<KeptTask, 'state' | 'result'>[]> {
    return this.readAll(taskIds, ['state', 'result']);
  }

  /**
   * Reads the rows of several tasks, in the order of their ids, without the missing ones.
   *
   * @param only - the members to read beside the id. Default: all
   */
  async readAll(taskIds: readonly string[], only?: readonly (keyof TaskRow)[]): Promise<TaskRow[]> {
    const rows = new Map<string, TaskRow>();
    for (let from = 0; from < taskIds.length; from += MAX_BATCH_GET) {
      const batch = taskIds.slice(from, from + MAX_BATCH_GET);
      for (const row of await this.#table.getAll(batch, only))
        rows.set((row as TaskRow).taskId, row as TaskRow);
    }
    return taskIds.flatMap((taskId) => rows.get(taskId) ?? []);
  }

  turn(taskId: string, payloadHash: string, afterId: string): Promise<KeptTask | undefined> {
    return this.#table.update(
      taskId,
      `#state = :queued AND ${FOLLOWS} AND (attribute_not_exists(payloadHash) OR payloadHash = :payloadHash)`,
      'SET payloadHash = :payloadHash, afterId = :afterId',
      { ':queued': 'queued', ':payloadHash': payloadHash, ':afterId': afterId },
    );
  }

  async cancel(taskId: string, cancellation: Cancellation = {}): Promise<TaskStatus | undefined> {
    const { afterId } = cancellation;
    // If the task starts again between the two requests, it must be cancelled nevertheless
    for (let writes = 0; writes < MAX_CANCELLATIONS; writes += 1) {
      const cancelled = await this.#cancelOnce(taskId, cancellation);
      if (cancelled) return statusOf(cancelled);
      const known = await this.read(taskId);
      if (!known || isFinal(known.state)) return known && statusOf(known);
      if (!TASK_STATES.includes(known.state)) throw new UnknownStateError(taskId, known.state);
      if (afterId !== undefined && !isAfter(known, afterId)) return statusOf(known);
    }
    throw new TaskError(
      `The task ${taskId} was not cancelled: it changed ${MAX_CANCELLATIONS} times meanwhile; expected it to hold still for a moment, so try again`,
    );
  }

  async #cancelOnce(taskId: string, { by, error, afterId }: Cancellation): Promise<TaskRow | undefined> {
    await this.#table.timeKnown();
    const at = this.#table.iso;
    return this.#table.update(
      taskId,
      `#state IN (:queued, :retrying, :running) AND expiresAt >= :now${afterId === undefined ? '' : ` AND ${FOLLOWS}`}`,
      `SET #state = :cancelled, finishedAt = :at, updatedAt = :at, expiresAt = :expires${
        error ? ', #error = :error' : ''
      }${by === undefined ? '' : ', cancelledBy = :by'} REMOVE ${OVER_AT_THE_END}`,
      {
        ':queued': 'queued',
        ':retrying': 'retrying',
        ':running': 'running',
        ':cancelled': 'cancelled',
        ':now': this.#table.seconds,
        ':at': at,
        ':expires': this.#table.expiry(),
        ...(error && { ':error': error }),
        ...(by !== undefined && { ':by': by.slice(0, MAX_BY_CHARACTERS) }),
        ...(afterId !== undefined && { ':afterId': afterId }),
      },
      error && { '#error': 'error' },
    );
  }

  /**
   * Ends a waiting task without another attempt. Resolves to its row; to undefined if it does not wait, or has no row.
   *
   * @param claims - if given, a running task whose claim was abandoned ends too
   */
  async giveUp(taskId: string, error: TaskFailure, claims?: AbandonedClaims): Promise<TaskRow | undefined> {
    await this.#table.timeKnown();
    const waiting = { ':queued': 'queued', ':retrying': 'retrying' };
    const ended = await this.#die(taskId, error, '#state IN (:queued, :retrying)', waiting);
    return ended ?? (claims && this.#giveUpAbandoned(taskId, error, claims));
  }

  /** Ends a task whose worker died, or could not reach the store to conclude its attempt. */
  async #giveUpAbandoned(
    taskId: string,
    error: TaskFailure,
    { leaseSeconds, unconcluded }: AbandonedClaims,
  ): Promise<TaskRow | undefined> {
    const known = await this.read(taskId);
    if (known?.state !== 'running') return undefined;
    const { begun, claimId, leaseUntilMs } = known;
    const lives = secretOf(claimId, unconcluded) !== undefined;
    if (!lives && !(await isAbandoned(this.#table, known, leaseSeconds))) return undefined;
    const { condition, values } = sameClaim(known);
    // As in a takeover: only an attempt whose worker died while it ran alone counts
    const uncounted = (begun === 'alone' && !lives) || leaseUntilMs === undefined ? 0 : 1;
    const running = { ...values, ':running': 'running' };
    return this.#die(taskId, error, `#state = :running AND ${condition}`, running, uncounted);
  }

  async #die(
    taskId: string,
    error: TaskFailure,
    condition: string,
    values: RowValues,
    uncounted = 0,
  ): Promise<TaskRow | undefined> {
    const at = this.#table.iso;
    return this.#table.update(
      taskId,
      // An expired row counts as missing: its reader has checked nothing of it
      `${condition} AND expiresAt >= :now`,
      `SET #state = :dead, #error = :error, finishedAt = :at, updatedAt = :at, expiresAt = :expires,
        attempts = if_not_exists(attempts, :zero) - :uncounted REMOVE claimId, ${OVER_AT_THE_END}`,
      {
        ...values,
        ':dead': 'dead',
        ':error': error,
        ':at': at,
        ':now': this.#table.seconds,
        ':expires': this.#table.expiry(),
        ':uncounted': uncounted,
        ':zero': 0,
      },
      { '#error': 'error' },
    );
  }

  /**
   * Lets a dead or failed task start again, if a message puts it back: the dead letter of this end, or a body that was sent
   * after the end and after the message of its last attempt. All its attempts are available again. Its token grows, so
   * that no end has the token of an earlier one. Resolves to whether the task starts again.
   */
  async revive(taskId: string, { deadAt, sentAtMs, by }: PutBack): Promise<boolean> {
    if (deadAt === undefined && sentAtMs === undefined) return false;
    await this.#table.timeKnown();
    const dead = '#state IN (:dead, :failed)';
    const later = ['sentAtMs', 'putBackFromMs'].map(
      (name) => `(attribute_not_exists(${name}) OR ${name} < :sentAtMs)`,
    );
    const ways = [
      ...(deadAt === undefined ? [] : [`${dead} AND finishedAt <= :deadAt`]),
      ...(sentAtMs === undefined ? [] : [`${dead} AND finishedAt < :sentAt AND ${later.join(' AND ')}`]),
    ];
    const row = await this.#table.update(
      taskId,
      ways.join(' OR '),
      [
        'SET #state = :queued, attempts = :zero, #token = if_not_exists(#token, :zero) + :one, updatedAt = :at, expiresAt = :expires',
        'deaths = if_not_exists(deaths, :zero) + :one, lastDeathAt = finishedAt',
        'lastDeath = if_not_exists(#error, :unknown)',
        ...(by === undefined ? [] : ['putBackAt = :at, putBackBy = :by']),
        ...(sentAtMs === undefined ? [] : ['putBackFromMs = :sentAtMs']),
      ].join(', ') +
        ` REMOVE ${by === undefined ? 'putBackAt, putBackBy, ' : ''}finishedAt, #error, progress, crashes, begun, nextAttemptAt, waiting`,
      {
        ':dead': 'dead',
        ':failed': 'failed',
        ...(deadAt !== undefined && { ':deadAt': deadAt }),
        ...(sentAtMs !== undefined && {
          ':sentAt': new Date(sentAtMs + CLOCKS_DIFFER_MS).toISOString(),
          ':sentAtMs': sentAtMs,
        }),
        ':queued': 'queued',
        ...(by !== undefined && { ':by': by }),
        ':zero': 0,
        ':one': 1,
        ':at': this.#table.iso,
        ':expires': this.#table.expiry(),
        ':unknown': { name: 'Error', message: 'The row has no error' },
      },
      { '#error': 'error' },
    );
    return row !== undefined;
  }

  get signatures(): Signatures | undefined {
    return this.#table.signatures;
  }

  /** Compares this process's clock with DynamoDB's, whose time the store uses. */
  get clock(): ClockWatch {
    return this.#table.clock;
  }

  async now(): Promise<number> {
    await this.#table.timeKnown();
    return this.#table.nowMs;
  }

  /** Resolves if the table can be read. */
  async ping(): Promise<void> {
    await this.read('ping');
  }
}

/** Whether a row belongs to a task that is sent again. An earlier version's claim wrote rows without a payload hash. */
function isSame(known: TaskRow, { task, payloadHash, next, groupId, afterId }: NewTask): boolean {
  const madeByClaim = known.payloadHash === undefined && known.token > 0;
  if (known.task !== task) return false;
  if (madeByClaim) return true;
  // It may have got its payload since
  if (afterId !== undefined) return isAfter(known, afterId) && known.next?.taskId === next?.taskId;
  // A step of another flow is another task, because another task follows it
  return (
    known.payloadHash === payloadHash && known.next?.taskId === next?.taskId && known.groupId === groupId
  );
}

import { MAX_SKEW_MS } from '../time/clock-watch.ts';
import { isFinal, type TaskFailure, type TaskState } from '../task/task-status.ts';
import { type Listener } from '../task/next-task.ts';
import { type Progress } from '../task/progress.ts';
import { ALL_TASKS, type TaskRow } from './task-row.ts';
import type { RowValues, TaskTable } from './task-table.ts';

/** The clocks of two processes may differ by so much: a task is not kept waiting for that. */
const CLOCKS_DIFFER_SECONDS = 1;

/** Who claims a task, and as what it is known where its row is not there. */
export interface NewClaim {
  readonly taskId: string;
  readonly task: string;
  readonly queue: string;
  readonly traceparent?: string | undefined;
  readonly parentId?: string | undefined;
  readonly subject?: string | undefined;
  /** How many tasks sent each other before this one. Default 0. */
  readonly depth?: number | undefined;
  /** Who is told how it ends, as far as its contract says so. */
  readonly onEnd?: readonly Listener[] | undefined;
  /** When the message counts as sent, in milliseconds since 1970. Left out for one that counts as sent before any end. */
  readonly sentAtMs?: number | undefined;
  readonly claimId: string;
  readonly owner: string;
  readonly leaseSeconds: number;
}

/** One attempt's hold on a row. */
export interface HeldClaim {
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
  /** Why it waits for its next attempt. */
  readonly waiting?: TaskRow['waiting'];
  /** How long it rests until then, in seconds. Default 0. */
  readonly restSeconds?: number | undefined;
  /** Whether the attempt counts; default true. */
  readonly counts?: boolean;
  /** What becomes of the suspicion that the task kills its workers; left out when there is none. */
  readonly suspicion?: 'cleared' | 'kept' | undefined;
  readonly progress?: Progress | undefined;
}

/**
 * The attempts at tracked tasks: each begins by claiming its task's row, and writes to it under the claim's token. A
 * write under a token changes nothing once another attempt has begun.
 */
export class TaskAttempts {
  readonly #table: TaskTable;

  constructor(table: TaskTable) {
    this.#table = table;
  }

  /**
   * Begins an attempt: of a task that waits, of one that is not known yet, or of one whose last attempt never ended and
   * whose lease is over. Resolves to the row. Its `claimId` is not this attempt's when another attempt has it, or when
   * the task has ended.
   */
  async claim(request: NewClaim): Promise<TaskRow | undefined> {
    await this.#table.timeKnown();
    const begun = await this.#begin(
      request,
      `attribute_not_exists(taskId) OR
        (#state IN (:queued, :retrying) AND (attribute_not_exists(notBefore) OR notBefore <= :due)
          AND (attribute_not_exists(nextAttemptAt) OR nextAttemptAt <= :due))`,
      ['attempts = if_not_exists(attempts, :zero) + :one'],
      {
        ':queued': 'queued',
        ':retrying': 'retrying',
        ':due': this.#table.isoIn(CLOCKS_DIFFER_SECONDS),
      },
    );
    if (begun) return begun;
    // As it stands, though it may have expired: a task that has ended is not to be run again
    const known = (await this.#table.get(request.taskId)) as TaskRow | undefined;
    if (known?.state !== 'running' || known.claimId === request.claimId) return known;
    if (!(await isAbandoned(this.#table, known, request.leaseSeconds))) return known;
    const takenOver = await this.#takeOver(request, known);
    return takenOver ?? ((await this.#table.get(request.taskId)) as TaskRow | undefined);
  }

  /**
   * The same of a task that may stand as the attempt of a claim that was given up: its worker could not conclude it,
   * because the store did not answer. It is taken over at once, and its attempt was none.
   */
  async resume(request: NewClaim, known: TaskRow): Promise<TaskRow | undefined> {
    await this.#table.timeKnown();
    const { token, claimId = '', crashes = 0 } = known;
    const resumed = await this.#begin(
      request,
      '#state = :running AND #token = :known AND claimId = :givenUp',
      crashes > 0 ? ['begun = :begun'] : [],
      {
        ':known': token,
        ':givenUp': claimId,
        ...(crashes > 0 && { ':begun': 'not yet' satisfies TaskRow['begun'] }),
      },
    );
    return resumed ?? ((await this.#table.get(request.taskId)) as TaskRow | undefined);
  }

  /**
   * Takes over from an attempt whose worker died. Unless it ran alone nobody knows whether its handler was the cause:
   * then it uses no attempt. One that still waited to run alone was surely not.
   */
  async #takeOver(request: NewClaim, { token, begun, leaseUntilMs }: TaskRow): Promise<TaskRow | undefined> {
    const crashes = begun === 'not yet' ? 0 : 1;
    const attempts = begun === 'alone' ? 1 : 0;
    return this.#begin(
      request,
      `#state = :running AND ${SAME_CLAIM}`,
      [
        'crashes = if_not_exists(crashes, :zero) + :crashes',
        'attempts = attempts + :attempts',
        'begun = :begun',
      ],
      {
        ':known': token,
        ':seen': leaseUntilMs,
        ':crashes': crashes,
        ':attempts': attempts,
        ':begun': 'not yet' satisfies TaskRow['begun'],
      },
    );
  }

  async #begin(
    request: NewClaim,
    condition: string,
    sets: readonly string[],
    values: RowValues,
  ): Promise<TaskRow | undefined> {
    const { taskId, task, queue, claimId, owner, leaseSeconds } = request;
    const { traceparent, parentId, subject, depth = 0, onEnd, sentAtMs } = request;
    // What its sender noted, where that could not
    const noted = Object.entries({ traceparent, parentId, subject, onEnd }).filter(
      ([, value]) => value !== undefined,
    );
    const at = this.#table.iso;
    return this.#table.update(
      taskId,
      condition,
      `${[
        'SET #state = :running, claimId = :claimId, #owner = :owner, leaseUntilMs = :untilMs, leaseSeconds = :length, updatedAt = :at',
        '#token = if_not_exists(#token, :zero) + :one',
        ...sets,
        'startedAt = if_not_exists(startedAt, :at), createdAt = if_not_exists(createdAt, :at)',
        'task = if_not_exists(task, :task), queue = if_not_exists(queue, :queue)',
        'effects = if_not_exists(effects, :none), expiresAt = :expires',
        'listedAt = if_not_exists(listedAt, :listedAt), listedIn = if_not_exists(listedIn, :listedIn)',
        ...noted.map(([name]) => `${name} = if_not_exists(${name}, :${name})`),
        ...(depth > 0 ? ['#depth = if_not_exists(#depth, :depth)'] : []),
        ...(sentAtMs === undefined ? [] : ['sentAtMs = :sentAtMs']),
      ].join(', ')} REMOVE nextAttemptAt, waiting, doubtedUntilMs, doubtedAtMs`,
      {
        ...values,
        ':running': 'running',
        ':claimId': claimId,
        ':owner': owner,
        ':untilMs': this.#table.nowMs + leaseSeconds * 1000,
        ':length': leaseSeconds,
        ':at': at,
        ':zero': 0,
        ':one': 1,
        ':task': task,
        ':queue': queue,
        ':none': {},
        ':expires': this.#table.expiry(),
        ':listedAt': `${at}#${taskId}`,
        ':listedIn': ALL_TASKS,
        ...Object.fromEntries(noted.map(([name, value]) => [`:${name}`, value])),
        ...(depth > 0 && { ':depth': depth }),
        ...(sentAtMs !== undefined && { ':sentAtMs': sentAtMs }),
      },
    );
  }

  /** Notes how a suspect's handler begins. Resolves to whether the row is still that attempt's. */
  async begins(held: HeldClaim, begun: 'alone' | 'in company'): Promise<boolean> {
    return (await this.#write(held, 'SET begun = :begun', { ':begun': begun })) !== undefined;
  }

  /** Holds an attempt's row for so long from now. Resolves to whether it is still that attempt's. */
  async renew(held: HeldClaim, leaseSeconds: number): Promise<boolean> {
    await this.#table.timeKnown();
    const values = { ':untilMs': this.#table.nowMs + leaseSeconds * 1000 };
    return (await this.#write(held, 'SET leaseUntilMs = :untilMs', values)) !== undefined;
  }

  /** Notes what a handler says of itself. Resolves to whether the row is still that attempt's. */
  async progress(held: HeldClaim, progress: Progress): Promise<boolean> {
    await this.#table.timeKnown();
    const values = { ':progress': { ...progress, at: this.#table.iso }, ':at': this.#table.iso };
    return (await this.#write(held, 'SET progress = :progress, updatedAt = :at', values)) !== undefined;
  }

  /** Keeps what an effect gave, as JSON. Resolves to the row; to nothing where it is no longer that attempt's. */
  keepEffect({ taskId, token }: HeldClaim, key: string, result: string): Promise<TaskRow | undefined> {
    return this.#table.update(
      taskId,
      // An effect may outlive its attempt: it is kept for the next one until that begins, and for those who are told of
      // the end
      '#token = :token AND #state IN (:running, :retrying, :queued, :dead, :failed, :cancelled)',
      'SET effects.#key = :result',
      {
        ':token': token,
        ':result': result,
        ':running': 'running',
        ':retrying': 'retrying',
        ':queued': 'queued',
        ':dead': 'dead',
        ':failed': 'failed',
        ':cancelled': 'cancelled',
      },
      { '#key': key },
    );
  }

  /** Notes that an effect begins. Resolves to whether the row is still that attempt's. */
  async beginEffect(held: HeldClaim, key: string): Promise<boolean> {
    return (await this.#write(held, 'ADD begunEffects :begun', { ':begun': new Set([key]) })) !== undefined;
  }

  /** Ends an attempt. Resolves to the row as it is then; nothing where it was no longer that attempt's. */
  async conclude(held: HeldClaim, conclusion: Conclusion): Promise<TaskRow | undefined> {
    await this.#table.timeKnown();
    const { state, result, error, counts = true, progress, suspicion, waiting, restSeconds = 0 } = conclusion;
    const at = this.#table.iso;
    const ends = isFinal(state) && { finishedAt: at, expiresAt: this.#table.expiry() };
    const fields: Partial<TaskRow> = {
      state,
      updatedAt: at,
      ...ends,
      ...(result !== undefined && { result }),
      ...(error && { error }),
      ...(progress && { progress: { ...progress, at } }),
      ...(waiting && { waiting }),
      ...(restSeconds > 0 && { nextAttemptAt: this.#table.isoIn(restSeconds) }),
      ...(suspicion === 'kept' && { begun: 'not yet' }),
    };
    const removed = [
      'owner',
      'leaseUntilMs',
      ...(state === 'succeeded' ? ['error'] : []),
      ...(suspicion === 'cleared' ? ['crashes', 'begun'] : []),
    ];
    const set = Object.keys(fields);
    const sets = set.map((name) => `#${name} = :${name}`).join(', ');
    return this.#write(
      held,
      `SET ${sets}${counts ? '' : ', attempts = attempts - :one'} REMOVE ${removed.map((name) => `#${name}`).join(', ')}`,
      {
        ...Object.fromEntries(Object.entries(fields).map(([name, value]) => [`:${name}`, value])),
        ...(!counts && { ':one': 1 }),
      },
      Object.fromEntries([...set, ...removed].map((name) => [`#${name}`, name])),
    );
  }

  /** Writes as an attempt. A write whose answer was lost and that the SDK made again has been made. */
  async #write(
    { taskId, token }: HeldClaim,
    update: string,
    values: RowValues,
    names: Readonly<Record<string, string>> = {},
  ): Promise<TaskRow | undefined> {
    const condition = '#state = :running AND #token = :token';
    const held = { ...values, ':running': 'running', ':token': token };
    return this.#table.update(taskId, condition, update, held, names);
  }
}

/** The claim of a running task as it was read (`:known`, `:seen`): neither renewed nor taken over since. */
export const SAME_CLAIM = '#token = :known AND leaseUntilMs = :seen';

/**
 * Whether the claim of a running task is over. Notes a lease that ends too far ahead to be true.
 *
 * @param ownSeconds - how long a claim lasts whose row does not say so
 */
export async function isAbandoned(table: TaskTable, row: TaskRow, ownSeconds: number): Promise<boolean> {
  const { taskId, token, leaseUntilMs = 0, leaseSeconds = ownSeconds, doubtedUntilMs, doubtedAtMs = 0 } = row;
  const { nowMs } = table;
  const lengthMs = leaseSeconds * 1000;
  if (leaseUntilMs < nowMs) return true;
  if (leaseUntilMs <= nowMs + lengthMs + MAX_SKEW_MS) return false;
  // A wrong clock wrote that. If its worker lives, it renews the claim, and so changes it, within a lease
  if (doubtedUntilMs === leaseUntilMs && doubtedAtMs <= nowMs) return doubtedAtMs + lengthMs < nowMs;
  const doubt = 'SET doubtedUntilMs = :seen, doubtedAtMs = :nowMs';
  await table.update(taskId, `#state = :running AND ${SAME_CLAIM}`, doubt, {
    ':running': 'running',
    ':known': token,
    ':seen': leaseUntilMs,
    ':nowMs': nowMs,
  });
  return false;
}

// The writes of attempts to the rows of their tasks.
import { MAX_SKEW_MS } from '../time/clock-watch.ts';
import { isFinal, type TaskFailure, type TaskState } from '../task/task-status.ts';
import { type Listener } from '../task/next-task.ts';
import { type Progress } from '../task/progress.ts';
import { ALL_TASKS, type TaskRow } from './task-row.ts';
import type { RowValues, TaskTable } from './task-table.ts';

/** How far the clocks of two processes may differ. A task that is due by one of them is due. */
const CLOCKS_DIFFER_SECONDS = 1;

/** A request for a claim, with the members of the task's row in case the row is missing. */
export interface NewClaim {
  readonly taskId: string;
  readonly task: string;
  readonly queue: string;
  /** The version of its contract that the worker implements. */
  readonly contractVersion?: number | undefined;
  /** The digest of the message's payload. The row must have the same, unless an earlier version wrote it without one. */
  readonly payloadHash: string;
  readonly traceparent?: string | undefined;
  readonly parentId?: string | undefined;
  readonly subject?: string | undefined;
  /** How many tasks sent each other before this one. Default 0. */
  readonly depth?: number | undefined;
  /** The contract's listener to its end. */
  readonly onEnd?: readonly Listener[] | undefined;
  /** When the message counts as sent, in milliseconds since 1970. Undefined if it counts as sent before every end. */
  readonly sentAtMs?: number | undefined;
  readonly claimId: string;
  readonly owner: string;
  readonly leaseSeconds: number;
}

/** Identifies the claim of an attempt. */
export interface HeldClaim {
  readonly taskId: string;
  readonly claimId: string;
  readonly token: number;
}

/** The change that an attempt's outcome makes to the row. */
export interface Conclusion {
  readonly state: Exclude<TaskState, 'running' | 'cancelled'>;
  /** JSON. */
  readonly result?: string | undefined;
  readonly error?: TaskFailure | undefined;
  /** Why it waits for its next attempt. */
  readonly waiting?: TaskRow['waiting'];
  /** The rest before the next attempt, in seconds. Default 0. */
  readonly restSeconds?: number | undefined;
  /** Whether the attempt counts. Default true. */
  readonly counts?: boolean;
  /** Whether the suspicion that the task kills its workers is cleared or kept. Undefined if there is none. */
  readonly suspicion?: 'cleared' | 'kept' | undefined;
  readonly progress?: Progress | undefined;
}

/**
 * Writes the attempts at tracked tasks. An attempt starts by claiming its task's row. Its later writes carry the claim's
 * token, and change nothing once another attempt has started.
 */
export class TaskAttempts {
  readonly #table: TaskTable;

  constructor(table: TaskTable) {
    this.#table = table;
  }

  /**
   * Claims a task for an attempt: a waiting task, a task without a row, or a running task whose claim has expired. Resolves
   * to the row. If its `claimId` differs from the request's, another attempt has the task, or it has ended.
   */
  async claim(request: NewClaim): Promise<TaskRow | undefined> {
    await this.#table.timeKnown();
    const signature = await this.#table.signatures?.ofRow(request);
    const counted = 'attempts = if_not_exists(attempts, :zero) + :one';
    const begun = await this.#begin(
      request,
      `${signature === undefined ? `${NO_ROW} OR ` : ''}${FITS} AND #state IN (:queued, :retrying)
        AND attribute_not_exists(leaseUntilMs) AND attribute_not_exists(finishedAt)
        AND (attribute_not_exists(notBefore) OR notBefore <= :due)
        AND (attribute_not_exists(nextAttemptAt) OR nextAttemptAt <= :due)`,
      [counted],
      {
        ':queued': 'queued',
        ':retrying': 'retrying',
        ':due': this.#table.isoIn(CLOCKS_DIFFER_SECONDS),
      },
    );
    if (begun) return begun;
    // Even if the row has expired: an ended task must not run again
    const known = (await this.#table.get(request.taskId)) as TaskRow | undefined;
    if (!known && signature !== undefined) {
      // A claim signs only a row that it makes. Otherwise it would sign what somebody else has written
      const sets = [counted, 'signature = :signature'];
      const made = await this.#begin(request, NO_ROW, sets, { ':signature': signature });
      return made ?? this.claim(request);
    }
    if (known?.state !== 'running' || known.claimId === request.claimId) return known;
    if (!(await isAbandoned(this.#table, known, request.leaseSeconds))) return known;
    const takenOver = await this.#takeOver(request, known);
    return takenOver ?? ((await this.#table.get(request.taskId)) as TaskRow | undefined);
  }

  /**
   * Takes over at once from an unconcluded claim, whose worker lives but could not reach the store. The unconcluded attempt
   * does not count. Resolves to the row, like `claim`.
   */
  async resume(request: NewClaim, known: TaskRow): Promise<TaskRow | undefined> {
    await this.#table.timeKnown();
    const { token, claimId = '', crashes = 0 } = known;
    const resumed = await this.#begin(
      request,
      `${FITS} AND #state = :running AND #token = :known AND claimId = :unconcluded`,
      crashes > 0 ? ['begun = :begun'] : [],
      {
        ':known': token,
        ':unconcluded': claimId,
        ...(crashes > 0 && { ':begun': 'not yet' satisfies TaskRow['begun'] }),
      },
    );
    return resumed ?? ((await this.#table.get(request.taskId)) as TaskRow | undefined);
  }

  /**
   * Takes over from an attempt whose worker died. That counts as a crash, unless the attempt still waited to run alone. It
   * counts as an attempt only if it ran alone: otherwise the cause may have been another task.
   */
  async #takeOver(request: NewClaim, known: TaskRow): Promise<TaskRow | undefined> {
    const { begun } = known;
    const { condition, values } = sameClaim(known);
    const crashes = begun === 'not yet' || known.leaseUntilMs === undefined ? 0 : 1;
    const attempts = begun === 'alone' ? 1 : 0;
    return this.#begin(
      request,
      `${FITS} AND #state = :running AND ${condition}`,
      [
        'crashes = if_not_exists(crashes, :zero) + :crashes',
        'attempts = if_not_exists(attempts, :zero) + :attempts',
        'begun = :begun',
      ],
      {
        ...values,
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
    const { taskId, task, queue, payloadHash, claimId, owner, leaseSeconds } = request;
    const { contractVersion, traceparent, parentId, subject, depth = 0, onEnd, sentAtMs } = request;
    // For a row that its sender did not write
    const given = Object.entries({ contractVersion, traceparent, parentId, subject, onEnd }).filter(
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
        'payloadHash = if_not_exists(payloadHash, :payloadHash)',
        'effects = if_not_exists(effects, :none), expiresAt = :expires',
        'listedAt = if_not_exists(listedAt, :listedAt), listedIn = if_not_exists(listedIn, :listedIn)',
        ...given.map(([name]) => `${name} = if_not_exists(${name}, :${name})`),
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
        ':payloadHash': payloadHash,
        ':none': {},
        ':expires': this.#table.expiry(),
        ':listedAt': `${at}#${taskId}`,
        ':listedIn': ALL_TASKS,
        ...Object.fromEntries(given.map(([name, value]) => [`:${name}`, value])),
        ...(depth > 0 && { ':depth': depth }),
        ...(sentAtMs !== undefined && { ':sentAtMs': sentAtMs }),
      },
    );
  }

  /** Records how a suspect's handler starts. Resolves to whether the attempt still has the row. */
  async begins(held: HeldClaim, begun: 'alone' | 'in company'): Promise<boolean> {
    return (await this.#write(held, 'SET begun = :begun', { ':begun': begun })) !== undefined;
  }

  /** Renews a claim: it lasts for so many seconds from now. Resolves to whether the attempt still has the row. */
  async renew(held: HeldClaim, leaseSeconds: number): Promise<boolean> {
    await this.#table.timeKnown();
    const values = { ':untilMs': this.#table.nowMs + leaseSeconds * 1000 };
    return (await this.#write(held, 'SET leaseUntilMs = :untilMs', values)) !== undefined;
  }

  /** Writes a handler's progress. Resolves to whether the attempt still has the row. */
  async progress(held: HeldClaim, progress: Progress): Promise<boolean> {
    await this.#table.timeKnown();
    const values = { ':progress': { ...progress, at: this.#table.iso }, ':at': this.#table.iso };
    return (await this.#write(held, 'SET progress = :progress, updatedAt = :at', values)) !== undefined;
  }

  /**
   * Keeps the result of an effect, as JSON: it was done, so this does not depend on the state of the task, nor on whether
   * another attempt has it by now. A result that another attempt has kept stays. Resolves to the row; to undefined if the
   * task has none.
   */
  async keepEffect(held: HeldClaim, key: string, result: string): Promise<TaskRow | undefined> {
    const own = await this.#keepEffect(held, key, '#token = :token', ':result', result);
    if (own) return own;
    // A row with a smaller token is that of a later task with the same id, after the first row has expired
    return this.#keepEffect(held, key, '#token > :token', 'if_not_exists(effects.#key, :result)', result);
  }

  #keepEffect(
    { taskId, token }: HeldClaim,
    key: string,
    condition: string,
    kept: string,
    result: string,
  ): Promise<TaskRow | undefined> {
    return this.#table.update(
      taskId,
      condition,
      `SET effects.#key = ${kept}`,
      { ':token': token, ':result': result },
      { '#key': key },
    );
  }

  /** Records that an effect starts. Resolves to whether the attempt still has the row. */
  async beginEffect(held: HeldClaim, key: string): Promise<boolean> {
    return (await this.#write(held, 'ADD begunEffects :begun', { ':begun': new Set([key]) })) !== undefined;
  }

  /** Ends an attempt. Resolves to the row after that; to undefined if the attempt no longer had it. */
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

  /** Writes to the row if the attempt still has it. Resolves to the row after that, otherwise to undefined. */
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

const NO_ROW = 'attribute_not_exists(taskId)';

/**
 * The condition that a message belongs to its row, by its `:task` and `:payloadHash`: see `misfitOf`. AND binds more closely
 * than OR. Parentheses within parentheses cost dynalite several times as much to read.
 */
const FITS =
  'task = :task AND (payloadHash = :payloadHash OR attribute_not_exists(payloadHash) AND attribute_not_exists(afterId))';

/**
 * The condition that a claim was neither renewed nor taken over since its row was read. A row may say that its task runs
 * although no worker has claimed it, because senders may write states.
 */
export function sameClaim({ token, leaseUntilMs }: TaskRow): { condition: string; values: RowValues } {
  return leaseUntilMs === undefined
    ? { condition: 'attribute_not_exists(leaseUntilMs)', values: {} }
    : {
        condition: '#token = :known AND leaseUntilMs = :seen',
        values: { ':known': token, ':seen': leaseUntilMs },
      };
}

/**
 * Whether the claim of a running task has expired. Records a doubt if it would last longer than any claim can.
 *
 * @param ownSeconds - the length of a claim whose row does not have it
 */
export async function isAbandoned(table: TaskTable, row: TaskRow, ownSeconds: number): Promise<boolean> {
  const { taskId, leaseUntilMs = 0, leaseSeconds = ownSeconds, doubtedUntilMs, doubtedAtMs = 0 } = row;
  const { nowMs } = table;
  const lengthMs = leaseSeconds * 1000;
  if (leaseUntilMs < nowMs) return true;
  if (leaseUntilMs <= nowMs + lengthMs + MAX_SKEW_MS) return false;
  // A worker with a wrong clock wrote that. If it lives, it changes the claim by a renewal within the claim's length
  if (doubtedUntilMs === leaseUntilMs && doubtedAtMs <= nowMs) return doubtedAtMs + lengthMs < nowMs;
  const doubt = 'SET doubtedUntilMs = :seen, doubtedAtMs = :nowMs';
  const { condition, values } = sameClaim(row);
  await table.update(taskId, `#state = :running AND ${condition}`, doubt, {
    ...values,
    ':running': 'running',
    ':nowMs': nowMs,
  });
  return false;
}

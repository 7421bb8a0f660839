// The rows of the task store's table.
import { fromJson, jsonIssue } from '../task/json-value.ts';
import { laneOfQueue, queueWithoutLane } from '../task/lane.ts';
import type { KeptGroup, KeptTask } from '../send/task-records.ts';
import { canBeShown } from '../send/row-shape.ts';
import type { TaskFailure, TaskStatus, Waiting } from '../task/task-status.ts';

/** How long a row is kept after its task was sent, and again after the task has ended, in days. */
export const DEFAULT_TTL_DAYS = 14;

/** The value of `listedIn` in the row of every task: the partition of the index that lists all tasks. */
export const ALL_TASKS = 'tasks';

/** The members that a row has only while its task waits or runs, as a list for an update expression. */
export const OVER_AT_THE_END =
  '#owner, leaseUntilMs, doubtedUntilMs, doubtedAtMs, nextAttemptAt, waiting' as const;

/** The row of a tracked task. */
export interface TaskRow extends KeptTask {
  /** The version of its contract. Absent until its first attempt if the version before sent it. */
  readonly contractVersion?: number | undefined;
  /** The id of the last claim: a digest of its secret. After a lost answer, it tells an attempt whether the write was its own. */
  readonly claimId?: string | undefined;
  readonly owner?: string | undefined;
  /** When the claim expires without a renewal, in milliseconds since 1970. */
  readonly leaseUntilMs?: number | undefined;
  /** How long the claim lasts without a renewal. */
  readonly leaseSeconds?: number | undefined;
  /** A `leaseUntilMs` that a wrong clock wrote, and when that was noticed: see `isAbandoned`. */
  readonly doubtedUntilMs?: number | undefined;
  readonly doubtedAtMs?: number | undefined;
  /** How many attempts in a row ended because their workers died. Absent if the last one ended by itself. */
  readonly crashes?: number | undefined;
  /** For a task with `crashes`: whether the handler of its attempt has started, and whether other tasks ran then. */
  readonly begun?: 'not yet' | 'alone' | 'in company' | undefined;
  /** When the rest after the last attempt ends, ISO 8601. */
  readonly nextAttemptAt?: string | undefined;
  /** Why it waits for its next attempt. */
  readonly waiting?: Omit<Waiting, 'until'> | undefined;
  /** The keys of effects with `inDoubt` that have started. */
  readonly begunEffects?: ReadonlySet<string> | undefined;
  /** How it ended before its dead letter was last put back, and when, ISO 8601. */
  readonly lastDeath?: TaskFailure | undefined;
  readonly lastDeathAt?: string | undefined;
  /** When its dead letter was last put back, ISO 8601, and who did it. Absent if that was not said. */
  readonly putBackAt?: string | undefined;
  readonly putBackBy?: string | undefined;
  /** Who cancelled it. */
  readonly cancelledBy?: string | undefined;
  /** When the message of the last attempt counts as sent, in milliseconds since 1970. A later message may put it back. */
  readonly sentAtMs?: number | undefined;
  /** When the message that last put it back counts as sent. Each message puts it back only once. */
  readonly putBackFromMs?: number | undefined;
  /** Its place in lists: `createdAt` and its id. */
  readonly listedAt: string;
  readonly listedIn: string;
  /** DynamoDB's time to live, in seconds since 1970. An expired row counts as missing, even if it is not deleted yet. */
  readonly expiresAt: number;
}

/**
 * An item of the table, with the counts that it lacks: the row of a task that no worker has claimed has none, because the
 * roles of senders may not write them.
 */
export function rowOf(item: object): TaskRow {
  return ('state' in item ? { attempts: 0, token: 0, ...item } : item) as TaskRow;
}

/** The row of a group. */
export interface GroupRow extends KeptGroup {
  readonly expiresAt: number;
}

/** A status in which no member may be left out, so that `statusOf` cannot forget one. */
type FullStatus = { readonly [Name in keyof Required<TaskStatus>]: TaskStatus[Name] };

/**
 * The status of a task, by its row. Has no member that only the store uses, nor any that another version may write.
 * Undefined if what it would show is not what Baton writes, or no answer could carry it.
 */
export function statusOf(row: TaskRow): TaskStatus | undefined {
  if (!canBeShown(row)) return undefined;
  const { queue, waiting, nextAttemptAt, result, lastDeath, lastDeathAt, putBackAt, putBackBy } = row;
  const status: FullStatus = {
    taskId: row.taskId,
    task: row.task,
    queue: queueWithoutLane(queue),
    lane: laneOfQueue(queue),
    state: row.state,
    attempts: row.attempts,
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
    startedAt: row.startedAt,
    finishedAt: row.finishedAt,
    notBefore: row.notBefore,
    waiting: waiting && { ...waiting, ...(nextAttemptAt !== undefined && { until: nextAttemptAt }) },
    subject: row.subject,
    parentId: row.parentId,
    traceparent: row.traceparent,
    progress: row.progress,
    result: result === undefined ? undefined : fromJson(result),
    error: row.error,
    deaths: row.deaths,
    cancelledBy: row.cancelledBy,
    putBack:
      putBackAt !== undefined && putBackBy !== undefined ? { at: putBackAt, by: putBackBy } : undefined,
    lastDeath: lastDeath && lastDeathAt !== undefined ? { at: lastDeathAt, ...lastDeath } : undefined,
  };
  return jsonIssue(status) ? undefined : status;
}

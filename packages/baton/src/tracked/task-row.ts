import { fromJson } from '../task/json-value.ts';
import { laneOfQueue, queueWithoutLane } from '../task/lane.ts';
import type { KeptGroup, KeptTask } from '../send/task-records.ts';
import type { TaskFailure, TaskStatus, Waiting } from '../task/task-status.ts';

/** How long a task is known after it was sent, and again after it has ended. */
export const DEFAULT_TTL_DAYS = 14;

/** What `listedIn` holds of every task: the partition of the index that lists all. */
export const ALL_TASKS = 'tasks';

/** What holds only while a task waits or runs, as a list of an update expression. An end without an attempt removes it. */
export const OVER_AT_THE_END =
  '#owner, leaseUntilMs, doubtedUntilMs, doubtedAtMs, nextAttemptAt, waiting' as const;

/** A tracked task as it stands in the table. */
export interface TaskRow extends KeptTask {
  /** The attempt that holds it: whether a write whose answer was lost was one's own. */
  readonly claimId?: string | undefined;
  readonly owner?: string | undefined;
  /** Until when the attempt's claim lasts unless it is renewed, in milliseconds since 1970. */
  readonly leaseUntilMs?: number | undefined;
  /** How long its claim lasts unless it is renewed. */
  readonly leaseSeconds?: number | undefined;
  /** A `leaseUntilMs` too far ahead to be true, and when it was first seen: it is taken over unless it is renewed. */
  readonly doubtedUntilMs?: number | undefined;
  readonly doubtedAtMs?: number | undefined;
  /** How many attempts in a row ended because their workers died; absent when the last one ended by itself. */
  readonly crashes?: number | undefined;
  /** Of a task with `crashes`: whether the handler of its attempt has begun, and beside what. */
  readonly begun?: 'not yet' | 'alone' | 'in company' | undefined;
  /** No attempt begins before this time, ISO 8601: the rest after the last one. */
  readonly nextAttemptAt?: string | undefined;
  /** Why it waits for its next attempt. */
  readonly waiting?: Omit<Waiting, 'until'> | undefined;
  readonly payloadHash?: string | undefined;
  /** Keys of effects that have begun, of those that ask in doubt. */
  readonly begunEffects?: ReadonlySet<string> | undefined;
  /** How it ended the last time before its dead letter was put back, and when, ISO 8601. */
  readonly lastDeath?: TaskFailure | undefined;
  readonly lastDeathAt?: string | undefined;
  /** When the message counts as sent that it was run from, in milliseconds since 1970: a later one may put it back. */
  readonly sentAtMs?: number | undefined;
  /** The same of the message that put it back, which it does once. */
  readonly putBackFromMs?: number | undefined;
  /** Its place in the lists: `createdAt`, made unique by the id. */
  readonly listedAt: string;
  readonly listedIn: string;
  /** DynamoDB's time to live, in seconds since 1970; past it the row is as none. */
  readonly expiresAt: number;
}

/** A group as it stands in the same table, under an id of its own. */
export interface GroupRow extends KeptGroup {
  readonly taskId: string;
  readonly expiresAt: number;
}

/** Every member of a status, so that none can be forgotten where one is made. */
type FullStatus = { readonly [Name in keyof Required<TaskStatus>]: TaskStatus[Name] };

/** The status of a task, by its row. It has nothing that only the store uses, not even what other versions may write. */
export function statusOf(row: TaskRow): TaskStatus {
  const { queue, waiting, nextAttemptAt, result, lastDeath, lastDeathAt } = row;
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
    lastDeath: lastDeath && lastDeathAt !== undefined ? { at: lastDeathAt, ...lastDeath } : undefined,
  };
  return status;
}

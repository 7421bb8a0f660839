// The rows of schedules in the task store's table.
import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { MAX_SKEW_MS } from '../time/clock-watch.ts';
import { TaskError } from '../task/errors.ts';
import { lastTick, tickTaskId, tickTime } from '../task/schedule.ts';
import type { ScheduledContract } from '../task/task.ts';
import { TaskTable, type TaskTableOptions } from './task-table.ts';

const DAY_MS = 86_400_000;
/** The most reads of a schedule's row, of which each found that another worker had changed it. */
const MAX_LOOKS = 5;
/** The most future ticks to look at. A worker with a wrong clock may have sent several. */
const MAX_TICKS_AHEAD = 100;

/** The row of a schedule. Times are ISO 8601. */
export interface ScheduleRow {
  /** `schedule#`, the contract's name, its cron expression and its time zone. No task id contains `#`. */
  readonly taskId: string;
  /** When a worker first saw the schedule. Earlier ticks are not sent. */
  readonly since: string;
  /** The last tick that was sent. Absent before the first one. */
  readonly lastTick?: string | undefined;
}

/**
 * Reads and writes the schedules of tracked tasks. Each is a row of the task store's table and never expires. If the
 * schedule of a contract changes, it gets another row: so past ticks of the new schedule do not count as missed, and old
 * and new workers can run side by side. Not a part of `TaskStore`, because only workers tick: functions need no such code.
 */
export class TaskSchedules {
  readonly #table: TaskTable;

  constructor(options: TaskTableOptions) {
    this.#table = new TaskTable(options);
  }

  /**
   * Reads the row of a contract's schedule. Writes it if it is missing. Repairs it if it lies in the future: a worker with
   * a wrong clock wrote it, and no tick would be due until then.
   */
  async see(contract: ScheduledContract): Promise<ScheduleRow> {
    for (let looks = 0; looks < MAX_LOOKS; looks += 1) {
      const row = await this.#look(contract);
      if (row) return row;
    }
    throw new TaskError(
      `The schedule of ${contract.name} changed ${MAX_LOOKS} times while it was read: expected a row that can be read or written`,
    );
  }

  /** Reads the row, or writes it. Resolves to undefined if another worker has written or repaired it meanwhile. */
  async #look(contract: ScheduledContract): Promise<ScheduleRow | undefined> {
    const taskId = rowId(contract);
    const known = (await this.#table.get(taskId)) as ScheduleRow | undefined;
    await this.#table.timeKnown();
    // Somebody else than a worker may have made the row
    const isWhole = typeof known?.since === 'string';
    if (isWhole && !liesAhead(known, this.#table.nowMs)) return known;
    if (isWhole) await this.#delayFutureTicks(contract, known);
    const row = { taskId, since: this.#sinceOf(isWhole ? known : undefined) };
    const written = await this.#table.unlessRefused(
      new UpdateCommand({
        TableName: this.#table.name,
        Key: { taskId },
        UpdateExpression: 'SET since = :since REMOVE lastTick, expiresAt',
        ConditionExpression: 'attribute_not_exists(since) OR since > :ahead OR lastTick > :ahead',
        ExpressionAttributeValues: { ':since': row.since, ':ahead': aheadOf(this.#table.nowMs) },
      }),
    );
    return written && row;
  }

  /** Records that a tick was sent, unless a later one is recorded. Resolves to the row after that. */
  async record(contract: ScheduledContract, tick: Date): Promise<ScheduleRow> {
    await this.#table.timeKnown();
    const recorded = await this.#table.unlessRefused(
      new UpdateCommand({
        TableName: this.#table.name,
        Key: { taskId: rowId(contract) },
        ConditionExpression: 'attribute_not_exists(lastTick) OR lastTick < :tick OR lastTick > :ahead',
        UpdateExpression: 'SET lastTick = :tick, since = if_not_exists(since, :at)',
        ExpressionAttributeValues: {
          ':tick': tick.toISOString(),
          ':at': this.#table.iso,
          ':ahead': aheadOf(this.#table.nowMs),
        },
        ReturnValues: 'ALL_NEW',
      }),
    );
    const { Attributes } = (recorded ?? {}) as { Attributes?: ScheduleRow };
    return Attributes ?? this.see(contract);
  }

  /**
   * Lets the task of a tick run again if it ran too early because a worker with a wrong clock sent it: it started before
   * the tick, or, by that clock, in the future. Call it before a tick is sent, because the early run has used the task id.
   */
  async reopen({ name }: ScheduledContract, tick: Date): Promise<void> {
    await this.#table.timeKnown();
    const early = new Date(tick.getTime() - MAX_SKEW_MS).toISOString();
    await this.#startAgain(
      tickTaskId(name, tickTime(tick)),
      tick,
      '#state IN (:succeeded, :failed, :dead) AND (startedAt < :early OR finishedAt < :early OR startedAt > :ahead)',
      {
        ':succeeded': 'succeeded',
        ':failed': 'failed',
        ':dead': 'dead',
        ':early': early,
        ':ahead': aheadOf(this.#table.nowMs),
      },
    );
  }

  /**
   * Makes the tasks of future ticks wait for their time, whether they have run or not. All their times may come from the
   * wrong clock, so this can only be noticed while the ticks lie ahead.
   */
  async #delayFutureTicks({ name, schedule }: ScheduledContract, row: ScheduleRow): Promise<void> {
    const aheadMs = this.#table.nowMs + MAX_SKEW_MS;
    // If this process's clock may be behind, ticks that ran in time would seem to lie ahead
    if (!this.#table.clock.dated || row.lastTick === undefined) return;
    let tick: Date | undefined = new Date(row.lastTick);
    for (let ticks = 0; tick && tick.getTime() > aheadMs && ticks < MAX_TICKS_AHEAD; ticks += 1) {
      const taskId = tickTaskId(name, tickTime(tick));
      const known = await this.#startAgain(
        taskId,
        tick,
        'attribute_exists(#state) AND #state <> :cancelled',
        {
          ':cancelled': 'cancelled',
        },
      );
      if (!known) return;
      tick = lastTick(schedule, new Date(tick.getTime() - 1));
    }
  }

  /**
   * Lets a tick's task start again. An attempt under way can write nothing any more. The token grows, so that no end has
   * the token of an earlier one. Resolves to whether the condition held.
   */
  async #startAgain(
    taskId: string,
    tick: Date,
    condition: string,
    values: Readonly<Record<string, unknown>>,
  ): Promise<boolean> {
    const notBefore = tick.toISOString();
    const row = await this.#table.update(
      taskId,
      condition,
      `SET #state = :queued, attempts = :zero, #token = if_not_exists(#token, :zero) + :one, effects = :none, notBefore = :tick, updatedAt = :at,
          expiresAt = :expires
        REMOVE startedAt, finishedAt, #owner, leaseUntilMs, claimId, crashes, begun, begunEffects, nextAttemptAt, waiting, progress,
          #result, #error`,
      {
        ...values,
        ':queued': 'queued',
        ':zero': 0,
        ':one': 1,
        ':none': {},
        ':tick': notBefore,
        ':at': this.#table.iso,
        ':expires': this.#table.expiry(notBefore),
      },
      { '#result': 'result', '#error': 'error' },
    );
    return row !== undefined;
  }

  /**
   * The `since` of a repaired row. It is unknown which tick was sent last, so the last tick is sent again. Its task id
   * makes that one run for as long as the store keeps the task's row, so `since` does not go further back.
   */
  #sinceOf(known: ScheduleRow | undefined): string {
    const { iso, nowMs, ttlSeconds } = this.#table;
    if (!known || known.since > iso) return iso;
    const rememberedSince = new Date(nowMs - Math.max(0, ttlSeconds * 1000 - DAY_MS)).toISOString();
    return known.since > rememberedSince ? known.since : rememberedSince;
  }
}

/** Whether a tick must be sent. */
export function isDue(tick: Date, { since, lastTick: sent }: ScheduleRow): boolean {
  const time = tick.toISOString();
  return sent === undefined ? time >= since : time > sent;
}

/** Whether the row of a schedule lies in the future. @param nowMs - the store's time, in milliseconds since 1970 */
function liesAhead({ since, lastTick: sent = since }: ScheduleRow, nowMs: number): boolean {
  const ahead = aheadOf(nowMs);
  return since > ahead || sent > ahead;
}

function aheadOf(nowMs: number): string {
  return new Date(nowMs + MAX_SKEW_MS).toISOString();
}

function rowId({ name, schedule: { cron, timeZone } }: ScheduledContract): string {
  return `schedule#${name}#${cron}#${timeZone}`;
}

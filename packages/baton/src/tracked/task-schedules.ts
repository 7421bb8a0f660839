import { PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { MAX_SKEW_MS } from '../time/clock-watch.ts';
import { lastTick, tickTaskId, tickTime } from '../task/schedule.ts';
import type { ScheduledContract } from '../task/task.ts';
import type { TaskTable } from './task-table.ts';

const DAY_MS = 86_400_000;
/** A worker with a wrong clock may have sent several ticks ahead, one after the other. */
const MAX_TICKS_AHEAD = 100;

/** What is known of a schedule. Times are ISO 8601. */
export interface ScheduleRow {
  /** `schedule#`, the contract's name, and the line as the contract has it: no task's id has such characters. */
  readonly taskId: string;
  /** When a worker saw the schedule first; ticks before that are not its own. */
  readonly since: string;
  /** The last tick that was sent; not there before the first one. */
  readonly lastTick?: string | undefined;
}

/**
 * The schedules of tracked tasks, each a row of the task store's table that never expires. A contract whose line
 * changes has another row: what the new line would have ticked before is not missed, and while old and new workers run
 * side by side, each keep their own.
 */
export class TaskSchedules {
  readonly #table: TaskTable;

  constructor(table: TaskTable) {
    this.#table = table;
  }

  /**
   * The row of a contract's schedule. Makes it at the first sight of the schedule. Repairs one that is noted ahead of
   * the store's time: a worker with a wrong clock noted it, and no tick would be due until then.
   */
  async see(contract: ScheduledContract): Promise<ScheduleRow> {
    const taskId = rowId(contract);
    const known = (await this.#table.get(taskId)) as ScheduleRow | undefined;
    await this.#table.timeKnown();
    if (known && !liesAhead(known, this.#table.nowMs)) return known;
    if (known) await this.#putOffTicksAhead(contract, known);
    const row = { taskId, since: this.#sinceOf(known) };
    // Unless another worker has made or repaired it
    const written = await this.#table.unlessRefused(
      new PutCommand({
        TableName: this.#table.name,
        Item: row,
        ConditionExpression: 'attribute_not_exists(taskId) OR since > :ahead OR lastTick > :ahead',
        ExpressionAttributeValues: { ':ahead': aheadOf(this.#table.nowMs) },
      }),
    );
    return written ? row : this.see(contract);
  }

  /** Notes that a tick was sent, unless a later one is noted. Resolves to the row as it is then. */
  async note(contract: ScheduledContract, tick: Date): Promise<ScheduleRow> {
    await this.#table.timeKnown();
    const noted = await this.#table.unlessRefused(
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
    const { Attributes } = (noted ?? {}) as { Attributes?: ScheduleRow };
    return Attributes ?? this.see(contract);
  }

  /**
   * Has the task of a tick begin anew that ran before its time, because a worker with a wrong clock sent it: it began
   * before the tick, or, by that clock, after now. Does nothing to any other. To be called before a tick is sent: its id
   * would be used up.
   */
  async reopen({ name }: ScheduledContract, tick: Date): Promise<void> {
    await this.#table.timeKnown();
    const early = new Date(tick.getTime() - MAX_SKEW_MS).toISOString();
    await this.#beginAnew(
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
   * What was sent for ticks that are still to come waits for them, whether it has run or not. All its times may be of
   * the wrong clock, so this can only be told while they lie ahead.
   */
  async #putOffTicksAhead({ name, schedule }: ScheduledContract, row: ScheduleRow): Promise<void> {
    const aheadMs = this.#table.nowMs + MAX_SKEW_MS;
    // By a clock that may be behind, what others have run in time would seem to lie ahead
    if (!this.#table.clock.dated || row.lastTick === undefined) return;
    let tick: Date | undefined = new Date(row.lastTick);
    for (let ticks = 0; tick && tick.getTime() > aheadMs && ticks < MAX_TICKS_AHEAD; ticks += 1) {
      const taskId = tickTaskId(name, tickTime(tick));
      const known = await this.#beginAnew(taskId, tick, 'attribute_exists(#state) AND #state <> :cancelled', {
        ':cancelled': 'cancelled',
      });
      if (!known) return;
      tick = lastTick(schedule, new Date(tick.getTime() - 1));
    }
  }

  /**
   * Begins a tick's task anew. An attempt under way can write nothing any more. The token grows, so that no end has the
   * token of an earlier one. Resolves to whether the condition held.
   */
  async #beginAnew(
    taskId: string,
    tick: Date,
    condition: string,
    values: Readonly<Record<string, unknown>>,
  ): Promise<boolean> {
    const notBefore = tick.toISOString();
    const row = await this.#table.update(
      taskId,
      condition,
      `SET #state = :queued, attempts = :zero, #token = #token + :one, effects = :none, notBefore = :tick, updatedAt = :at,
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
   * Of a repaired row nobody knows which tick was the last: it is sent again, under its own id, which makes it one run
   * for as long as its task is known.
   */
  #sinceOf(known: ScheduleRow | undefined): string {
    const { iso, nowMs, ttlSeconds } = this.#table;
    if (!known || known.since > iso) return iso;
    const rememberedSince = new Date(nowMs - Math.max(0, ttlSeconds * 1000 - DAY_MS)).toISOString();
    return known.since > rememberedSince ? known.since : rememberedSince;
  }
}

/** Whether a tick is still to be sent. */
export function isDue(tick: Date, { since, lastTick: sent }: ScheduleRow): boolean {
  const time = tick.toISOString();
  return sent === undefined ? time >= since : time > sent;
}

/** Whether what is noted of a schedule lies ahead of the store's time, in milliseconds since 1970. */
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

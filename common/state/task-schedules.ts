import { PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { ScheduledContract } from '../queue/task.ts';
import type { TaskTable } from './task-table.ts';

/** No clock is ahead of another by more: AWS takes no request that is signed by one (AWS Signature Version 4). */
const MAX_SKEW_MS = 300_000;

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
   * The row of a contract's schedule, which is made where this is the first sight of it; also where what is noted lies
   * ahead of all clocks: a worker whose clock was wrong has noted it, and no tick would be due until then.
   */
  async see(contract: ScheduledContract): Promise<ScheduleRow> {
    const taskId = rowId(contract);
    const known = (await this.#table.get(taskId)) as ScheduleRow | undefined;
    if (known && !liesAhead(known, this.#table.nowMs)) return known;
    const row: ScheduleRow = { taskId, since: this.#table.iso };
    const first = await this.#table.unlessRefused(
      new PutCommand({
        TableName: this.#table.name,
        Item: row,
        ConditionExpression: 'attribute_not_exists(taskId) OR since > :ahead OR lastTick > :ahead',
        ExpressionAttributeValues: { ':ahead': aheadOf(this.#table.nowMs) },
      }),
    );
    // Another worker saw it first
    return first ? row : this.see(contract);
  }

  /** Notes that a tick was sent, unless a later one is noted. Resolves to the row as it is then. */
  async note(contract: ScheduledContract, tick: Date): Promise<ScheduleRow> {
    const noted = await this.#table.unlessRefused(
      new UpdateCommand({
        TableName: this.#table.name,
        Key: { taskId: rowId(contract) },
        ConditionExpression: 'attribute_not_exists(lastTick) OR lastTick < :tick',
        UpdateExpression: 'SET lastTick = :tick, since = if_not_exists(since, :at)',
        ExpressionAttributeValues: { ':tick': tick.toISOString(), ':at': this.#table.iso },
        ReturnValues: 'ALL_NEW',
      }),
    );
    const { Attributes } = (noted ?? {}) as { Attributes?: ScheduleRow };
    return Attributes ?? this.see(contract);
  }
}

/** Whether a tick is still to be sent. */
export function isDue(tick: Date, { since, lastTick }: ScheduleRow): boolean {
  const time = tick.toISOString();
  return lastTick === undefined ? time >= since : time > lastTick;
}

/** Whether what is noted of a schedule lies ahead of all clocks, at a time in milliseconds since 1970. */
export function liesAhead({ since, lastTick = since }: ScheduleRow, nowMs: number): boolean {
  const ahead = aheadOf(nowMs);
  return since > ahead || lastTick > ahead;
}

function aheadOf(nowMs: number): string {
  return new Date(nowMs + MAX_SKEW_MS).toISOString();
}

function rowId({ name, schedule: { cron, timeZone } }: ScheduledContract): string {
  return `schedule#${name}#${cron}#${timeZone}`;
}

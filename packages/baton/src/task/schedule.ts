// Schedules: when a task runs without a sender.
import { Cron } from 'croner';
import * as z from 'zod';

/**
 * The schedule of a task that runs without a sender.
 *
 * Clock changes are handled as by Vixie cron. If an expression names a single time of the day, a skipped time runs when the
 * gap ends, and a repeated time runs the first time. All other expressions skip skipped times and run at repeated times
 * twice.
 */
export interface Schedule {
  /** A cron expression: minute, hour, day of the month, month and day of the week, as in `0 3 * * *`. */
  readonly cron: string;
  /** The name of a time zone (IANA), such as `Europe/Zurich` or `UTC`. */
  readonly timeZone: string;
}

/** The limits of a schedule. */
export const scheduleSchema = z.object({
  cron: z
    .string()
    .max(100)
    .regex(/^\S+( \S+){4}$/, 'expected five fields with single spaces between: 0 3 * * *')
    .refine((cron) => ticks(cron, 'UTC'), 'expected a cron expression with a next time, such as 0 3 * * *'),
  timeZone: z
    .string()
    .max(64)
    // An offset such as +02:00 parses too, but AWS does not accept it
    .refine(
      (timeZone) => /^[A-Z]/i.test(timeZone) && ticks('0 0 * * *', timeZone),
      'expected a time zone such as Europe/Zurich',
    ),
});

/** The longest name of a scheduled task, in characters. A tick's task id has 30 more. */
export const MAX_SCHEDULED_NAME_CHARACTERS = 98;

/** The `source` in envelopes of EventBridge Scheduler, which sends ticks on AWS. */
export const SCHEDULER_SOURCE = 'scheduler';

/**
 * The id of the task of a tick. Every sender of a tick uses the same id, so that the task store runs one task.
 *
 * @param time - as `tickTime` writes it, the same form as EventBridge Scheduler's `<aws.scheduler.scheduled-time>`
 */
export function tickTaskId(name: string, time: string): string {
  return `schedule.${name}.${time}`;
}

/** A tick in ISO 8601, in whole seconds. */
export function tickTime(tick: Date): string {
  return tick.toISOString().replace(/\.\d+Z$/, 'Z');
}

/** The last tick of a schedule at or before `at`; undefined if there was none. */
export function lastTick({ cron, timeZone }: Schedule, at: Date): Date | undefined {
  // croner looks strictly before a time
  const [tick] = new Cron(cron, { timezone: timeZone }).previousRuns(1, new Date(at.getTime() + 1));
  return tick;
}

/** The first tick of a schedule after `at`; undefined if there will be none. */
export function nextTick({ cron, timeZone }: Schedule, at: Date): Date | undefined {
  return new Cron(cron, { timezone: timeZone }).nextRun(at) ?? undefined;
}

function ticks(cron: string, timezone: string): boolean {
  try {
    return new Cron(cron, { timezone }).nextRun() !== null;
  } catch {
    return false;
  }
}

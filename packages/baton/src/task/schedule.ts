import { Cron } from 'croner';
import * as z from 'zod';

/**
 * When a task is run by itself.
 *
 * When clocks change, croner does as Vixie cron: a single time of the day that is left out comes when the gap ends, and
 * one that comes twice is its first; all other expressions skip what is left out and take both of what comes twice.
 */
export interface Schedule {
  /** Minute, hour, day of the month, month and day of the week, as cron has them: `0 3 * * *`. */
  readonly cron: string;
  /** The name of a time zone (IANA), such as `Europe/Zurich` or `UTC`. */
  readonly timeZone: string;
}

/** What a schedule may be. */
export const scheduleSchema = z.object({
  cron: z
    .string()
    .max(100)
    .regex(/^\S+( \S+){4}$/, 'expected five fields with single spaces between: 0 3 * * *')
    .refine((cron) => ticks(cron, 'UTC'), 'expected a cron expression that comes to pass, such as 0 3 * * *'),
  timeZone: z
    .string()
    .max(64)
    // An offset such as +02:00 parses as well, but is no time zone to AWS
    .refine(
      (timeZone) => /^[A-Z]/i.test(timeZone) && ticks('0 0 * * *', timeZone),
      'expected a time zone such as Europe/Zurich',
    ),
});

/** The longest name of a task with a schedule, in characters: a tick's task id is the name and 30 more. */
export const MAX_SCHEDULED_NAME_CHARACTERS = 98;

/** Who sends ticks on AWS: the `source` of EventBridge Scheduler's envelopes. */
export const SCHEDULER_SOURCE = 'scheduler';

/**
 * The id of the task that a tick sends: whoever sends it, the task store knows it as one task.
 *
 * @param time - as `tickTime` has it, which is how EventBridge Scheduler has its `<aws.scheduler.scheduled-time>`
 */
export function tickTaskId(name: string, time: string): string {
  return `schedule.${name}.${time}`;
}

/** A tick in ISO 8601, in whole seconds. */
export function tickTime(tick: Date): string {
  return tick.toISOString().replace(/\.\d+Z$/, 'Z');
}

/** The last tick of a schedule that is not after `at`; nothing where there was none. */
export function lastTick({ cron, timeZone }: Schedule, at: Date): Date | undefined {
  // croner looks strictly before a time
  const [tick] = new Cron(cron, { timezone: timeZone }).previousRuns(1, new Date(at.getTime() + 1));
  return tick;
}

/** The first tick of a schedule after `at`; nothing where there will be none. */
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

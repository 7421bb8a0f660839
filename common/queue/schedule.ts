import { Cron } from 'croner';
import { z } from 'zod';

/** When a task is run by itself. */
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
    .refine((cron) => parses(cron, 'UTC'), 'expected a cron expression such as 0 3 * * *'),
  timeZone: z
    .string()
    .max(64)
    .refine((timeZone) => parses('0 0 * * *', timeZone), 'expected a time zone such as Europe/Zurich'),
});

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

function parses(cron: string, timezone: string): boolean {
  try {
    return new Cron(cron, { timezone }).nextRun() !== undefined;
  } catch {
    return false;
  }
}

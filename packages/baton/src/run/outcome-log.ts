// Logs the outcomes of messages.
import type { Outcome } from '../task/outcome.ts';
import type { Processing } from './processing.ts';
import type { AttemptName } from './running-attempt.ts';

/** The fields on every log line of a task. */
export interface TaskFields extends AttemptName {
  readonly traceId: string;
}

/**
 * Logs the outcome of a message and returns it.
 *
 * @param fields - without a task if the message could not be read
 * @param durationMs - how long the admitted task took; left out if it was not admitted
 */
export function logOutcome(
  { logger, doneLogger = logger }: Processing,
  fields: Partial<TaskFields>,
  outcome: Outcome,
  durationMs?: number,
): Outcome {
  const { task: what = 'message' } = fields;
  switch (outcome.kind) {
    case 'done':
      doneLogger.info({ ...fields, durationMs }, `${what} done`);
      break;
    case 'retry': {
      const { delaySeconds, error } = outcome;
      logger.warn({ ...fields, durationMs, delaySeconds, error }, `${what} will be tried again`);
      break;
    }
    case 'dead-letter': {
      const { reason, error } = outcome;
      logger.error({ ...fields, durationMs, reason, error }, `${what} is a dead letter: ${reason}`);
      break;
    }
    case 'release': {
      const { delaySeconds, error } = outcome;
      logger.info({ ...fields, durationMs, delaySeconds, error }, `${what} released`);
      break;
    }
  }
  return outcome;
}

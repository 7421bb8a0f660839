import type { Right } from './ending.ts';
import { AttemptsCrashedError } from '../task/errors.ts';
import type { Hold } from './hold.ts';
import type { DeadLetterOutcome, Outcome } from '../task/outcome.ts';
import { asError } from '../task/plain-error.ts';
import type { TaskContract } from '../task/task.ts';
import type { BegunAttempt } from './task-tracker.ts';

/** A task whose workers died so often in a row is given up: the first time in company, then twice alone. */
const MAX_CRASHES = 3;

/** The outcome of a task whose workers died too often while it ran; nothing for any other. */
export function outcomeOfCrashes(
  { attempt, crashes, givenUp }: BegunAttempt,
  { name, retry }: TaskContract,
): DeadLetterOutcome | undefined {
  if (!givenUp && crashes < MAX_CRASHES && attempt <= retry.maxAttempts) return undefined;
  return {
    kind: 'dead-letter',
    reason: 'crashed',
    error: givenUp ?? new AttemptsCrashedError(name, crashes),
  };
}

/**
 * Has a suspect begin alone. Resolves to its outcome when it cannot begin.
 *
 * @param rights - what the attempt depends on
 */
export async function beginAlone(
  suspect: BegunAttempt,
  hold: Hold,
  rights: readonly Right[],
): Promise<Outcome | undefined> {
  const givenUp = AbortSignal.any(rights.map(({ signal }) => signal));
  try {
    const alone = (await hold.runAlone?.(givenUp)) ?? false;
    givenUp.throwIfAborted();
    await suspect.begins(alone);
    return undefined;
  } catch (error) {
    return { kind: 'release', error: asError(error) };
  }
}

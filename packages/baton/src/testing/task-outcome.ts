// The outcomes of tasks in tests.
import type { DeadLetterReason } from '../task/dead-letter-reason.ts';
import type { Outcome } from '../task/outcome.ts';

/** What happens to a task after an attempt. */
export type TaskOutcome<Result = unknown> =
  /** It succeeded. */
  | { readonly kind: 'done'; readonly result: Result }
  /** It is tried again after a rest of `delaySeconds`. A part of the retry policy's rest is random. */
  | { readonly kind: 'retry'; readonly delaySeconds: number; readonly error: Error }
  /** It is tried again, and this attempt does not count: it was postponed, or its worker had to stop. */
  | { readonly kind: 'release'; readonly delaySeconds: number; readonly error: Error }
  /** It is given up, and becomes a dead letter. */
  | { readonly kind: 'dead-letter'; readonly reason: DeadLetterReason; readonly error: Error };

/** The outcome of a task, without the members that only workers use. */
export function taskOutcome(outcome: Outcome): TaskOutcome {
  const { kind } = outcome;
  switch (kind) {
    case 'done':
      return { kind, result: outcome.result };
    case 'retry':
    case 'release':
      return { kind, delaySeconds: outcome.delaySeconds ?? 0, error: outcome.error };
    case 'dead-letter':
      return { kind, reason: outcome.reason, error: outcome.error };
  }
}

import type { DeadLetterReason } from '../task/dead-letter-reason.ts';
import type { Outcome } from '../task/outcome.ts';

/** What becomes of a task after an attempt. */
export type TaskOutcome<Result = unknown> =
  /** It has succeeded. */
  | { readonly kind: 'done'; readonly result: Result }
  /** It is tried again after a rest. The contract's retry policy takes a part of the rest from chance. */
  | { readonly kind: 'retry'; readonly delaySeconds: number; readonly error: Error }
  /** It waits, and this attempt does not count: it was postponed, or its worker had to stop. */
  | { readonly kind: 'release'; readonly delaySeconds: number; readonly error: Error }
  /** It is given up, and set aside in its queue's dead-letter queue. */
  | { readonly kind: 'dead-letter'; readonly reason: DeadLetterReason; readonly error: Error };

/** An outcome without what is the worker's own. */
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

// Why messages become dead letters. Deployed code needs only the type of this list; tools and tests read the list.

/**
 * Every reason for a dead letter, each with what happened. It travels as `baton.reason` and stays in the row of a tracked
 * task, so never rename one. docs/dead-letters.md says what to do about each.
 */
export const DEAD_LETTER_REASONS = {
  rejected: 'The handler threw RejectTask, or its result or an effect cannot be kept',
  'attempts-exhausted': 'The last attempt failed, or an attempt ended without success 5 days after the send',
  'timed-out': 'The last attempt passed its time limit',
  crashed: 'Workers died or lost the lease while it ran: three times in a row, or on all its attempts',
  'flow-lost': 'It belongs to a chain or group, and the task store has lost what follows it',
  mismatch: 'It is no message of its task: the contract, the queue or the payload differs from what was sent',
  'out-of-turn': 'It is for a later task of a chain or group, and the task before that has not succeeded',
  'bad-signature': 'It, or the row of its task, has no signature by one of the keys of its consumer',
  'unknown-task': 'No worker that received it knew the task, or this version of it',
  'invalid-payload': "The payload breaks the contract's schema",
  'too-large': 'The payload is larger than its contract allows, or has too many levels or values',
  malformed: 'The body is not JSON, or no envelope',
} as const;

/** Why a message became a dead letter. */
export type DeadLetterReason = keyof typeof DEAD_LETTER_REASONS;

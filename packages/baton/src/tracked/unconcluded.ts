import { UNCONCLUDED } from '../sqs/copy-notes.ts';
import type { Outcome } from '../task/outcome.ts';
import type { ReceivedMessage } from '../sqs/received-message.ts';

/**
 * The same release by a copy of the message, which says that these claims have been given up: their worker lives, but
 * the task store did not answer it. One of them may stand in the task's row. The next delivery takes it over at once, as
 * what it is: neither a crash nor an attempt.
 */
export function unconcluded(
  release: Extract<Outcome, { kind: 'release' }>,
  claimIds: readonly string[],
): Outcome {
  return { ...release, asCopy: true, notes: { ...release.notes, [UNCONCLUDED]: claimIds.join(' ') } };
}

/** The claims that were given up before a message was sent again. */
export function claimsGivenUp({ attributes }: ReceivedMessage): readonly string[] {
  const text = attributes[UNCONCLUDED]?.StringValue ?? '';
  return text === '' ? [] : text.split(' ');
}

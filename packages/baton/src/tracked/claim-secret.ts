// The secrets of claims. Senders can read a claim's id in its row, but not the notes of messages in a queue.
import { createHash } from 'node:crypto';

/** How the id of a claim with a secret begins. The version before wrote other ids. */
const DIGEST = 'sha256:';

/** The id of the claim with this secret, as its row has it. The id does not tell the secret. */
export function claimIdOf(secret: string): string {
  return `${DIGEST}${createHash('sha256').update(secret).digest('base64url')}`;
}

/**
 * The secret of a claim, if it is among those that a message names as unconcluded. The id of a claim of the version before
 * is its own secret.
 */
export function secretOf(claimId: string | undefined, named: readonly string[]): string | undefined {
  if (claimId === undefined) return undefined;
  return named.find((secret) => (claimId.startsWith(DIGEST) ? claimIdOf(secret) : secret) === claimId);
}

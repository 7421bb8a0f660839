// Lets each dead letter be put back once.
import { createHash } from 'node:crypto';
import { attributesPutBack } from 'baton-tasks/tooling';
import type { Letter } from './letter.ts';

/** It differs for each dead letter of an end, by the times of its message. */
const DETAILS = 'baton.details';

/**
 * Lets each letter be put back once, even if it fails at once and becomes a dead letter again while others are read. The id
 * of a task alone says nothing: anybody who may send to its queue can make dead letters with that id. Those must not keep
 * the true one from being put back. So letters count as the same only if they would do the same.
 */
export class OnceEach {
  readonly #admitted = new Set<string>();
  /** How many letters were not admitted. */
  refused = 0;

  /** Whether a letter may be put back. Letters that are no tasks may, unless they were set aside meanwhile. */
  admits(letter: Letter): boolean {
    const what = letter.taskId === undefined ? undefined : fingerprintOf(letter);
    const again = letter.isNewcomer || (what !== undefined && this.#admitted.has(what));
    if (again) this.refused += 1;
    else if (what !== undefined) this.#admitted.add(what);
    return !again;
  }
}

/** Equal for letters that put back the same end by the same message. */
function fingerprintOf({ body, queue, endedAt, attributes }: Letter): string {
  const others = Object.entries(attributesPutBack(attributes))
    .filter(([name]) => name !== DETAILS)
    .toSorted(([one], [other]) => (one < other ? -1 : 1));
  return createHash('sha256')
    .update(JSON.stringify([body, queue, endedAt, others]))
    .digest('base64');
}

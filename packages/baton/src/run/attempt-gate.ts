import type { Ending } from './ending.ts';
import { AttemptOverError } from '../task/errors.ts';

/**
 * Lets something that leaves an attempt (an effect, a message) begin only while the attempt goes on. Gives nothing when
 * it surely does; else a promise that rejects with AttemptOverError when it is over.
 *
 * @param what - what is about to begin, as in `the effect pay`
 */
export type AttemptGate = (what: string) => Promise<void> | undefined;

/** Which attempt it is. */
export interface GatedAttempt {
  readonly task: string;
  readonly taskId: string;
  readonly attempt: number;
}

/** Makes the gate of an attempt. */
export function gateOf(ending: Ending, attempt: GatedAttempt): AttemptGate {
  return (what) =>
    ending.check()?.catch((why: Error) => {
      throw new AttemptOverError(what, attempt, why);
    });
}

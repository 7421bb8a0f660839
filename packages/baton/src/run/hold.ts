import type { Right } from './ending.ts';
import type { AttemptName } from './running-attempt.ts';

/** A process's hold on a message while it runs. */
export interface Hold extends Right {
  /** Aborts when the lease is lost or the worker must stop; a handler that then fails is released. */
  readonly signal: AbortSignal;
  /** Called right before the handler of an attempt begins. */
  begins?(attempt: AttemptName): void;
  /** Called when the outcome is decided although the handler still runs, because it ignores its signal. `handler` settles when it ends. */
  outlivedBy(handler: Promise<unknown>): void;
  /**
   * Resolves once nothing else runs in this process, or it was waited for long enough, and lets nothing else begin until
   * the message's outcome is decided or the task has run for a while. Called for a task whose last worker died, before
   * its handler begins: if it kills this worker too, it harms no other task. The message's lease is renewed meanwhile.
   * Left out: the task runs in company.
   *
   * @param givenUp - aborts when the attempt ends before its turn has come: it waits no longer
   * @returns whether nothing else runs: it does not wait for ever
   * @throws whatever makes this process unable to run it, and the reason of `givenUp`; the message is then released
   */
  runAlone?(givenUp: AbortSignal): Promise<boolean>;
}

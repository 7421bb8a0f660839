import type { Logger } from '../telemetry/logger.ts';
import { attemptOf, attemptsBefore, continuing, firstIdOf, givenBack, receiveOf } from '../sqs/copy-notes.ts';
import { PostponeTask, ReceivedTooOftenError } from '../task/errors.ts';
import type { Outcome } from '../task/outcome.ts';
import type { ReceivedMessage } from '../sqs/received-message.ts';
import type { TaskContract } from '../task/task.ts';
import type { BegunAttempt, EarlierReceives, ReceiveLog } from './task-tracker.ts';

/** SQS sets a message aside without a reason at the queues' `maxReceiveCount` of 30. */
const MANY_RECEIVES = 20;
/** Without a log, a message may be received so many times more than its contract allows attempts. */
const CRASHES_ALLOWED = 3;
const NOTHING: EarlierReceives = { ended: 0, attempts: 0, crashes: 0 };

/** By what an untracked message's attempts are known. */
export interface UntrackedOptions {
  readonly message: ReceivedMessage;
  readonly contract: TaskContract;
  /** Left out: SQS's count of receives decides. */
  readonly log: ReceiveLog | undefined;
  /**
   * Whether every receive of the message comes to a process that keeps the log. Not when Lambda receives: a throttled
   * function never learns of its messages.
   */
  readonly everyReceiveIsSeen: boolean;
  readonly logger: Logger;
}

/**
 * An attempt at a message of a task that is not tracked.
 *
 * SQS counts receives alone: it cannot tell a crash from a retry or a release. So each receive that ends in an orderly way
 * and leaves the message is logged. After one that is not in the log the worker died, or it was lost on its way: the
 * handler of the next one is logged before it begins. If that is lost too, the one after it runs alone. The third crash
 * in a row is the last.
 *
 * While the log cannot be read, or where there is none, the count decides: a message that was received more often than
 * its contract allows attempts runs alone, and one that was received three times more is given up. What is released then
 * goes on in a copy, so that no release leads there: at the same count if its worker had to stop, with one attempt left if
 * it is postponed.
 *
 * A message that is given back goes on in a copy, which has another id. The log knows all copies of a chain by the id of its
 * first message, and counts their receives on: see `givenBack`.
 */
export class UntrackedAttempt implements BegunAttempt {
  readonly attempt: number;
  readonly crashes: number;
  readonly suspect: boolean;
  readonly givenUp: Error | undefined;
  readonly #options: UntrackedOptions;
  /** What the log said, with what follows from it; nothing if it could not be read. */
  readonly #known: EarlierReceives | undefined;
  #noted = false;

  private constructor(options: UntrackedOptions, earlier: EarlierReceives | undefined) {
    const { message, contract } = options;
    const { maxAttempts } = contract.retry;
    const known = earlier && afterCrash(earlier, options);
    this.#options = options;
    this.#known = known;
    if (known) {
      this.attempt = known.attempts + 1;
      this.suspect = known.suspect ?? false;
      this.crashes = known.crashes;
      return;
    }
    const receives = attemptOf(message);
    this.attempt = Math.min(receives, maxAttempts);
    this.suspect = receives > maxAttempts;
    this.crashes = 0;
    if (receives > maxAttempts + CRASHES_ALLOWED)
      this.givenUp = new ReceivedTooOftenError(contract.name, receives, maxAttempts);
  }

  /** The attempt at a message that was received before: the log is read. */
  static async again(options: UntrackedOptions): Promise<UntrackedAttempt> {
    const { message, log, everyReceiveIsSeen, logger } = options;
    const { messageId } = message;
    let earlier: EarlierReceives | undefined;
    try {
      earlier = log && ((await log.find(firstIdOf(message))) ?? first(message));
    } catch (error) {
      logger.warn({ messageId, error }, 'earlier receives of a message are not known; their count decides');
    }
    const attempt = new UntrackedAttempt(options, earlier);
    if (!attempt.suspect && (attempt.crashes > 0 || !everyReceiveIsSeen)) await attempt.begins(false);
    return attempt;
  }

  /** The attempt at a message that is received for the first time: nothing is asked. */
  static first(options: UntrackedOptions): UntrackedAttempt {
    return new UntrackedAttempt(options, options.log && first(options.message));
  }

  async begins(alone: boolean): Promise<void> {
    const begun = receiveOf(this.#options.message);
    this.#noted = await this.#note({ begun, alone });
  }

  async conclude(outcome: Outcome): Promise<Outcome> {
    const { message, contract } = this.#options;
    const ended = receiveOf(message);
    if (outcome.kind !== 'retry' && outcome.kind !== 'release') {
      // It may come back all the same, if its delete fails
      if (this.#noted) await this.#note({ ended, crashes: 0, suspect: false });
      return outcome;
    }
    const used = outcome.kind === 'retry' ? this.attempt : this.attempt - 1;
    const byItself = outcome.kind === 'retry' || outcome.error instanceof PostponeTask;
    const cleared = byItself ? { crashes: 0, suspect: false } : {};
    const goesOnInCopy = (attempts: number): Outcome =>
      byItself ? continuing(outcome, message, attempts) : givenBack(outcome, message);
    if (message.receiveCount >= MANY_RECEIVES) return goesOnInCopy(used);
    if (await this.#note({ ended, attempts: used, ...cleared })) return outcome;
    // The log says that it began: the next receive would take this worker for dead
    if (this.#noted) return goesOnInCopy(used);
    // The count decides at the next receive: it must not be used up by what is no attempt
    const usedUp = outcome.kind === 'release' && attemptOf(message) >= contract.retry.maxAttempts;
    return usedUp ? goesOnInCopy(contract.retry.maxAttempts - 1) : outcome;
  }

  /** Writes to the log. Resolves to whether that was done. */
  async #note(change: Partial<EarlierReceives>): Promise<boolean> {
    const { message, log, logger } = this.#options;
    const { messageId } = message;
    if (!log || !this.#known) return false;
    try {
      await log.keep(firstIdOf(message), { ...this.#known, ...change });
      return true;
    } catch (error) {
      logger.warn({ messageId, error }, 'a receive of a message could not be logged');
      return false;
    }
  }
}

/** Notes that a message comes back though no worker has died of it: it could not be settled. */
export async function noteReturn(message: ReceivedMessage, log: ReceiveLog): Promise<void> {
  const firstId = firstIdOf(message);
  const earlier = (await log.find(firstId)) ?? first(message);
  await log.keep(firstId, { ...earlier, ended: receiveOf(message) });
}

function first(message: ReceivedMessage): EarlierReceives {
  return { ...NOTHING, attempts: attemptsBefore(message) };
}

/** What is known once the last receive is counted in, if that never ended. */
function afterCrash(earlier: EarlierReceives, options: UntrackedOptions): EarlierReceives {
  const { ended, attempts, crashes, begun = 0, alone = false, suspect = false } = earlier;
  const receive = receiveOf(options.message);
  // It began, and its worker died. Of one that still waited for its turn nothing is logged: it is not to blame. One that
  // was given back after it had begun goes on in a copy, at the same receive
  if (begun > ended && begun < receive)
    return { ended, attempts: attempts + (alone ? 1 : 0), crashes: crashes + 1, suspect: true };
  // Whether the handler of a first receive began is not logged
  const lost = options.everyReceiveIsSeen && ended < receive - 1;
  return { ended, attempts, crashes: lost && crashes === 0 ? 1 : crashes, suspect };
}

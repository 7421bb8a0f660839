// Attempts at tasks that are not tracked, counted by a log of receives, or by SQS without one.
import {
  attemptOf,
  attemptsBefore,
  continuing,
  firstIdOf,
  givenBack,
  MANY_RECEIVES,
  receiveOf,
} from '../sqs/copy-notes.ts';
import type { ReceivedMessage } from '../sqs/received-message.ts';
import { PostponeTask, ReceivedTooOftenError } from '../task/errors.ts';
import type { Outcome } from '../task/outcome.ts';
import type { TaskContract } from '../task/task.ts';
import type { Processing } from './processing.ts';
import type { EarlierReceives, ReceiveLog } from './receive-log.ts';
import type { BegunAttempt } from './task-tracker.ts';

/** Without a log, a message may be received so many times more often than its contract allows attempts. */
const CRASHES_ALLOWED = 3;
const NOTHING: EarlierReceives = { ended: 0, attempts: 0, crashes: 0 };

/** The parts of `Processing` that untracked attempts need. */
type UntrackedProcessing = Pick<Processing, 'tracker' | 'everyReceiveIsSeen' | 'logger' | 'now'>;

/**
 * An attempt at a message whose task is not tracked.
 *
 * SQS counts only receives, so it cannot tell a crash from a retry or a release. Therefore a worker logs the end of each
 * receive after which the message comes back. If the last receive is not in the log, its worker died, or the message was
 * lost on its way to the worker. Then the start of the next handler is logged too. If that attempt does not end either, the
 * one after it runs alone. The third crash in a row is the last.
 *
 * If the log cannot be read, or there is none, SQS's count decides: a message with more receives than its contract allows
 * attempts runs alone, and one with three more is given up. Releases must not lead to that. So a released message continues
 * in a copy then: with the same count if its worker had to stop, and with one attempt left if it was postponed.
 *
 * A message that is given back continues in a copy, which has another id. All copies of a series have one entry in the log,
 * by the id of the first message, and their receives are counted on: see `givenBack`.
 */
export class UntrackedAttempt implements BegunAttempt {
  readonly attempt: number;
  readonly crashes: number;
  readonly suspect: boolean;
  readonly givenUp: Error | undefined;
  readonly #message: ReceivedMessage;
  readonly #contract: TaskContract;
  readonly #processing: UntrackedProcessing;
  /** The log's entry, with a crash of the last receive. Undefined if the log could not be read. */
  readonly #known: EarlierReceives | undefined;
  /** Whether the log has the start of the handler. */
  #isStartLogged = false;

  private constructor(
    message: ReceivedMessage,
    contract: TaskContract,
    processing: UntrackedProcessing,
    earlier: EarlierReceives | undefined,
  ) {
    const { maxAttempts } = contract.retry;
    const known = earlier && afterCrash(earlier, message, processing);
    this.#message = message;
    this.#contract = contract;
    this.#processing = processing;
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

  /** Makes the attempt of a message that was received before. Reads the log. */
  static async again(
    message: ReceivedMessage,
    contract: TaskContract,
    processing: UntrackedProcessing,
  ): Promise<UntrackedAttempt> {
    const { tracker, everyReceiveIsSeen = false, logger } = processing;
    const log = tracker?.receives;
    const { messageId } = message;
    let earlier: EarlierReceives | undefined;
    try {
      earlier = log && ((await log.find(firstIdOf(message))) ?? first(message));
    } catch (error) {
      logger.warn({ messageId, error }, 'log of receives could not be read: the count of SQS decides');
    }
    const attempt = new UntrackedAttempt(message, contract, processing, earlier);
    if (!attempt.suspect && (attempt.crashes > 0 || !everyReceiveIsSeen)) await attempt.begins(false);
    return attempt;
  }

  /** Makes the attempt of a message that is received for the first time. Does not read the log. */
  static first(
    message: ReceivedMessage,
    contract: TaskContract,
    processing: UntrackedProcessing,
  ): UntrackedAttempt {
    const earlier = processing.tracker?.receives && first(message);
    return new UntrackedAttempt(message, contract, processing, earlier);
  }

  async begins(alone: boolean): Promise<void> {
    const begun = receiveOf(this.#message);
    this.#isStartLogged = await this.#log({ begun, alone });
  }

  async conclude(outcome: Outcome): Promise<Outcome> {
    const message = this.#message;
    const { maxAttempts } = this.#contract.retry;
    const ended = receiveOf(message);
    if (outcome.kind !== 'retry' && outcome.kind !== 'release') {
      // The message comes back if its delete fails
      if (this.#isStartLogged) await this.#log({ ended, crashes: 0, suspect: false });
      return outcome;
    }
    const used = outcome.kind === 'retry' ? this.attempt : this.attempt - 1;
    const byHandler = outcome.kind === 'retry' || outcome.error instanceof PostponeTask;
    const cleared = byHandler ? { crashes: 0, suspect: false } : {};
    const inCopy = (attempts: number): Outcome =>
      byHandler ? continuing(outcome, message, attempts, this.#processing.now) : givenBack(outcome, message);
    if (message.receiveCount >= MANY_RECEIVES) return inCopy(used);
    if (await this.#log({ ended, attempts: used, ...cleared })) return outcome;
    // The log has the start of the handler without its end: at the next receive this worker would count as dead
    if (this.#isStartLogged) return inCopy(used);
    // At the next receive the count decides. A release must not use it up
    const usedUp = outcome.kind === 'release' && attemptOf(message) >= maxAttempts;
    return usedUp ? inCopy(maxAttempts - 1) : outcome;
  }

  /** Writes to the log. Resolves to whether that succeeded. */
  async #log(change: Partial<EarlierReceives>): Promise<boolean> {
    const { tracker, logger } = this.#processing;
    const log = tracker?.receives;
    const { messageId } = this.#message;
    if (!log || !this.#known) return false;
    try {
      await log.keep(firstIdOf(this.#message), { ...this.#known, ...change });
      return true;
    } catch (error) {
      logger.warn({ messageId, error }, 'receive could not be logged');
      return false;
    }
  }
}

/** Logs that a message comes back because it could not be settled, so that its worker does not count as dead. */
export async function logReturn(message: ReceivedMessage, log: ReceiveLog): Promise<void> {
  const firstId = firstIdOf(message);
  const earlier = (await log.find(firstId)) ?? first(message);
  await log.keep(firstId, { ...earlier, ended: receiveOf(message) });
}

function first(message: ReceivedMessage): EarlierReceives {
  return { ...NOTHING, attempts: attemptsBefore(message) };
}

/** Adds a crash to an entry of the log if the last receive did not end. */
function afterCrash(
  earlier: EarlierReceives,
  message: ReceivedMessage,
  { everyReceiveIsSeen = false }: UntrackedProcessing,
): EarlierReceives {
  const { ended, attempts, crashes, begun = 0, alone = false, suspect = false } = earlier;
  const receive = receiveOf(message);
  // The handler started, and its worker died. The start is not logged while a message waits to run alone, because it is not
  // at fault then
  if (begun > ended && begun < receive)
    return { ended, attempts: attempts + (alone ? 1 : 0), crashes: crashes + 1, suspect: true };
  // The log does not say whether the handler of a first receive started
  const lost = everyReceiveIsSeen && ended < receive - 1;
  return { ended, attempts, crashes: lost && crashes === 0 ? 1 : crashes, suspect };
}

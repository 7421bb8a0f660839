// Exponential backoff with jitter: rests before a failed call is retried.
import { setTimeout as sleep } from 'node:timers/promises';

const TROUBLE = { base: 200, cap: 30_000 } as const;
const RETRY = { base: 100, cap: 5000 } as const;
const PAUSE_MS = 1000;

/** Configures how rests grow. Both members have the same unit, milliseconds or seconds. */
export interface BackoffRange {
  /** The longest rest after the first failure. It doubles with each further one. */
  readonly base: number;
  /** The longest rest after any failure. */
  readonly cap: number;
}

/**
 * The longest rest after a failure, without jitter, in the unit of the range.
 *
 * @param earlier - how many failures there were before this one
 */
export function longestRest({ base, cap }: BackoffRange, earlier: number): number {
  return Math.min(cap, base * 2 ** earlier);
}

/**
 * A rest with equal jitter: half of the longest rest is fixed, so that a broken dependency can recover, and half is random,
 * so that callers which failed together do not retry together (AWS Architecture Blog, "Exponential Backoff And Jitter").
 *
 * @param longest - the longest rest, in any unit
 * @param random - a number from 0 to 1; default: `Math.random()`
 */
export function equalJitter(longest: number, random: number = Math.random()): number {
  return longest / 2 + (longest / 2) * random;
}

/** A rest with full jitter: anything from 0 to the longest rest (AWS Architecture Blog, as above). */
export function fullJitter(longest: number): number {
  return longest * Math.random();
}

/**
 * Makes a call until it succeeds. Rests in between, with equal jitter: at most 100 ms after the first failure, at most
 * 5 s after any.
 *
 * @param untilMs - no call is made after this time, by `performance.now()`; a time that is past means one call
 * @param mayRecover - whether the same call may succeed later
 * @throws the error of the last call
 */
export async function retryUntil<Result>(
  untilMs: number,
  call: () => Promise<Result>,
  mayRecover: (error: unknown) => boolean,
): Promise<Result> {
  for (let earlier = 0; ; earlier += 1) {
    try {
      return await call();
    } catch (error) {
      const restMs = equalJitter(longestRest(RETRY, earlier));
      if (!mayRecover(error) || performance.now() + restMs >= untilMs) throw error;
      await sleep(restMs);
    }
  }
}

/** Resolves after so many milliseconds, or early when `signal` aborts. */
type Wait = (forMs: number, signal: AbortSignal) => Promise<void>;

const waitAwake: Wait = (forMs, signal) => sleep(forMs, undefined, { signal }).catch(() => undefined);

/** The rests of a loop that calls a dependency in trouble: full jitter, at most 200 ms at first and 30 s later. */
export class Backoff {
  readonly #wait: Wait;
  #failures = 0;

  /** @param wait - default: by the system's clock; the process stays alive meanwhile */
  constructor(wait: Wait = waitAwake) {
    this.#wait = wait;
  }

  /** Whether the last call failed. */
  get troubled(): boolean {
    return this.#failures > 0;
  }

  /** Records that the last call succeeded: the next rest is short again. */
  reset(): void {
    this.#failures = 0;
  }

  /** Rests after a failure. Resolves early when `signal` aborts. */
  async rest(signal: AbortSignal): Promise<void> {
    const restMs = fullJitter(longestRest(TROUBLE, this.#failures));
    this.#failures += 1;
    await this.#wait(restMs, signal);
  }

  /** Rests for a second although nothing failed. Resolves early when `signal` aborts. */
  async pause(signal: AbortSignal): Promise<void> {
    await this.#wait(PAUSE_MS, signal);
  }
}

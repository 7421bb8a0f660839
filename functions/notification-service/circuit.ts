import type { Logger } from 'baton-tasks/service';
import {
  circuitBreaker,
  type CircuitBreakerPolicy,
  CircuitState,
  ConsecutiveBreaker,
  handleWhen,
} from 'cockatiel';

/** cockatiel counts how long it is open by the wall clock, which may be set: a circuit counts itself. */
const AT_ONCE = -Infinity;

/** What a circuit is made of. */
export interface CircuitOptions {
  /** What is called, for the log. */
  readonly name: string;
  /** So many failures in a row open it. */
  readonly failures: number;
  /** How long it is open before one call may probe, in milliseconds. */
  readonly probeAfterMs: number;
  /** Whether an error says that the other side is away. */
  readonly isAway: (error: unknown) => boolean;
  /** Whether an error says nothing of the other side: the call was broken off on this one. Every other one is an answer. */
  readonly isSilent: (error: unknown) => boolean;
  readonly logger: Logger;
}

/** A call was not made, or was in vain, because the other side is known to be away. */
export class CircuitOpenError extends Error {
  override readonly name = 'CircuitOpenError';
}

/**
 * Keeps calls from another side that is away. It opens after some failures in a row, refuses every call while it is
 * open, and then lets one through: where that is answered it closes, and otherwise it stays open for as long again.
 *
 * One a process and other side: each process finds out by itself, and a new one begins closed.
 */
export class Circuit {
  readonly #options: CircuitOptions;
  readonly #breaker: CircuitBreakerPolicy;
  /** When a call may probe, by `performance.now()`. */
  #probeAtMs = -Infinity;

  constructor(options: CircuitOptions) {
    const { name, failures, probeAfterMs, isAway, isSilent, logger } = options;
    this.#options = options;
    // cockatiel takes what it does not handle for an answer: a probe that was broken off has shown nothing
    const failed = handleWhen((error) => isAway(error) || (isSilent(error) && this.#probing));
    const breaker = new ConsecutiveBreaker(failures);
    this.#breaker = circuitBreaker(failed, { halfOpenAfter: AT_ONCE, breaker });
    this.#breaker.onBreak((reason) => {
      this.#probeAtMs = performance.now() + probeAfterMs;
      const error = 'error' in reason ? reason.error : undefined;
      logger.warn({ error, probeAfterMs }, `${name} is away: it is not called`);
    });
    this.#breaker.onHalfOpen(() => logger.info(`${name} is probed with one call`));
    this.#breaker.onReset(() => logger.info(`${name} is back`));
  }

  /**
   * Makes a call.
   *
   * @throws CircuitOpenError when it was not made, or failed and the circuit is open now
   * @throws whatever the call throws
   */
  async call<Result>(call: () => Promise<Result>): Promise<Result> {
    const { name, isAway } = this.#options;
    // cockatiel has calls beside a probe wait for its end
    if (this.#probing) throw new CircuitOpenError(`${name} is away and is being probed`);
    if (this.#breaker.state === CircuitState.Open && performance.now() < this.#probeAtMs)
      throw new CircuitOpenError(`${name} is away`);
    try {
      const answer = await this.#breaker.execute(() => this.#answerTo(call));
      return await answer();
    } catch (error) {
      if (!isAway(error) || this.#breaker.state === CircuitState.Closed) throw error;
      throw new CircuitOpenError(`${name} is away`, { cause: error });
    }
  }

  get #probing(): boolean {
    return this.#breaker.state === CircuitState.HalfOpen;
  }

  /** To the breaker a refusal is an answer like any other: whoever refuses is there. */
  async #answerTo<Result>(call: () => Promise<Result>): Promise<() => Result | Promise<never>> {
    const { isAway, isSilent } = this.#options;
    try {
      const result = await call();
      return () => result;
    } catch (error) {
      if (isAway(error) || isSilent(error)) throw error;
      return () => Promise.reject(error);
    }
  }
}

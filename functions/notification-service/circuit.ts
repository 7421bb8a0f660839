import type { Logger } from 'baton-tasks/service';
import {
  circuitBreaker,
  type CircuitBreakerPolicy,
  CircuitState,
  ConsecutiveBreaker,
  handleWhen,
} from 'cockatiel';

/** cockatiel measures its open time by the wall clock, which may be set. The circuit measures it by the monotonic one. */
const AT_ONCE = -Infinity;

/** Configures a circuit. */
export interface CircuitOptions {
  /** The server's name in log lines. */
  readonly name: string;
  /** Failures in a row that open it. */
  readonly failures: number;
  /** How long it is open before one call may probe, in milliseconds. */
  readonly probeAfterMs: number;
  /** Whether an error means that the server is away. */
  readonly isAway: (error: unknown) => boolean;
  /** Whether an error says nothing about the server, because this process aborted the call. Any other error is an answer. */
  readonly isSilent: (error: unknown) => boolean;
  readonly logger: Logger;
}

/** The server is away: the call was not made, or it failed. */
export class CircuitOpenError extends Error {
  override readonly name = 'CircuitOpenError';
}

/**
 * A circuit breaker: stops calls to a server that is away. It opens after some failures in a row and refuses every call
 * while it is open. Then it lets one call through as a probe. If the server answers, the circuit closes; otherwise it
 * stays open for the same time again.
 *
 * Each process has one circuit per server. It starts closed.
 */
export class Circuit {
  readonly #options: CircuitOptions;
  readonly #breaker: CircuitBreakerPolicy;
  /** When a call may probe, by `performance.now()`. */
  #probeAtMs = -Infinity;

  constructor(options: CircuitOptions) {
    const { name, failures, probeAfterMs, isAway, isSilent, logger } = options;
    this.#options = options;
    // cockatiel takes an error that it does not handle for an answer, but an aborted probe shows nothing
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
   * @throws CircuitOpenError if the circuit is open, or opens because this call failed
   * @throws any other error of the call
   */
  async call<Result>(call: () => Promise<Result>): Promise<Result> {
    const { name, isAway } = this.#options;
    // cockatiel lets other calls wait until the probe ends; here they fail at once
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

  /** A refusal is an answer: the server is there. So the breaker counts it as a success. */
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

// How many requests one caller may send to a process.
import type { IncomingMessage } from 'node:http';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { Problem } from './problem.ts';
import { TrustedProxies } from './trusted-proxies.ts';

/** Configures a rate limit. */
export interface RateLimitOptions {
  /** Requests a second of one caller, on average. */
  readonly perSecond: number;
  /** Requests of one caller at once. */
  readonly burst: number;
  /** The proxies in front, by addresses or networks: see `TrustedProxies`. */
  readonly trustedProxies: readonly string[];
}

/**
 * Limits the requests of each caller. A caller is an IPv4 address, or a network of IPv6 addresses (/64). Each process counts
 * by itself.
 */
export class RateLimit {
  readonly #limiter: RateLimiterMemory;
  readonly #proxies: TrustedProxies;
  readonly #limit: string;

  constructor({ perSecond, burst, trustedProxies }: RateLimitOptions) {
    // In each time that refills a burst, a caller has a burst
    this.#limiter = new RateLimiterMemory({ points: burst, duration: burst / perSecond });
    this.#proxies = new TrustedProxies(trustedProxies);
    this.#limit = `${perSecond} requests a second, ${burst} at once`;
  }

  /** Counts a request. @throws Problem 429 with Retry-After if its caller has sent too many */
  async check(request: IncomingMessage): Promise<void> {
    try {
      await this.#limiter.consume(this.#proxies.callerOf(request));
    } catch (refusal) {
      if (!(refusal instanceof RateLimiterRes)) throw refusal;
      const seconds = Math.max(1, Math.ceil(refusal.msBeforeNext / 1000));
      throw new Problem('too-many-requests', {
        detail: `The limit of one caller is ${this.#limit}. Try again in ${seconds} s.`,
        headers: { 'retry-after': String(seconds) },
      });
    }
  }
}

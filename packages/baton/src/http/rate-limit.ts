// How many requests one caller may send to a process.
import type { IncomingMessage } from 'node:http';
import { Problem } from './problem.ts';
import { TrustedProxies } from './trusted-proxies.ts';

/** A caller who was refused has a request again after at most so long, because a limit is at least one a second. */
const RETRY_AFTER_SECONDS = 1;

/** Configures a rate limit. */
export interface RateLimitOptions {
  /** Requests a second of one caller, on average: a whole number from 1. */
  readonly perSecond: number;
  /** Requests of one caller at once. */
  readonly burst: number;
  /** The proxies in front, by addresses or networks: see `TrustedProxies`. */
  readonly trustedProxies: readonly string[];
  /** A clock that only goes forward, in milliseconds. Default: that of the process. */
  readonly now?: () => number;
}

/** What a caller may send, at a time. */
interface Bucket {
  readonly requests: number;
  readonly atMs: number;
}

/**
 * Limits the requests of each caller. A caller is an IPv4 address, or a network of IPv6 addresses (/64). Each process counts
 * by itself.
 *
 * A caller has a bucket of requests, which refills all the time. Counting by windows would let twice the burst through where
 * two windows meet.
 */
export class RateLimit {
  readonly #options: Required<RateLimitOptions>;
  readonly #proxies: TrustedProxies;
  /** The buckets that were not full when they were last used, the one that rests longest first. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(options: RateLimitOptions) {
    this.#options = { now: () => performance.now(), ...options };
    this.#proxies = new TrustedProxies(options.trustedProxies);
  }

  /** How many callers are known. Those who have a whole burst again are forgotten. */
  get callers(): number {
    return this.#buckets.size;
  }

  /** Counts a request. @throws Problem 429 with Retry-After if its caller has sent too many */
  async check(request: IncomingMessage): Promise<void> {
    const { perSecond, burst, now } = this.#options;
    const nowMs = now();
    this.#forgetFull(nowMs);
    const caller = this.#proxies.callerOf(request);
    const requests = this.#refilled(this.#buckets.get(caller), nowMs);
    if (requests < 1)
      throw new Problem('too-many-requests', {
        detail: `The limit of one caller is ${perSecond} requests a second, ${burst} at once. Try again in ${RETRY_AFTER_SECONDS} s.`,
        // Otherwise the requests that wait behind it keep the process busy, 16 for each connection
        headers: { connection: 'close', 'retry-after': String(RETRY_AFTER_SECONDS) },
      });
    // Deleted first, because a map keeps the place of a key that it has
    this.#buckets.delete(caller);
    this.#buckets.set(caller, { requests: requests - 1, atMs: nowMs });
  }

  #refilled(bucket: Bucket | undefined, nowMs: number): number {
    const { perSecond, burst } = this.#options;
    return bucket ? Math.min(burst, bucket.requests + ((nowMs - bucket.atMs) * perSecond) / 1000) : burst;
  }

  #forgetFull(nowMs: number): void {
    for (const [caller, bucket] of this.#buckets) {
      if (this.#refilled(bucket, nowMs) < this.#options.burst) return;
      this.#buckets.delete(caller);
    }
  }
}

// How many requests one caller may send to a process.
import type { IncomingMessage } from 'node:http';
import { BlockList, isIP, isIPv6 } from 'node:net';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { callerOf } from './peer-shares.ts';
import { Problem } from './problem.ts';

/** Configures a rate limit. */
export interface RateLimitOptions {
  /** Requests a second of one caller, on average. */
  readonly perSecond: number;
  /** Requests of one caller at once. */
  readonly burst: number;
  /**
   * The proxies in front, whose `x-forwarded-for` is believed: addresses such as `10.0.0.7`, or networks such as
   * `10.0.0.0/8`. The header of any other peer is ignored, because it could name another caller each time.
   */
  readonly trustedProxies: readonly string[];
}

/**
 * Limits the requests of each caller. A caller is an IPv4 address, or a network of IPv6 addresses (/64). Each process counts
 * by itself.
 */
export class RateLimit {
  readonly #limiter: RateLimiterMemory;
  readonly #trusted: BlockList;
  readonly #limit: string;

  constructor({ perSecond, burst, trustedProxies }: RateLimitOptions) {
    // In each time that refills a burst, a caller has a burst
    this.#limiter = new RateLimiterMemory({ points: burst, duration: burst / perSecond });
    this.#trusted = networksOf(trustedProxies);
    this.#limit = `${perSecond} requests a second, ${burst} at once`;
  }

  /** Counts a request. @throws Problem 429 with Retry-After if its caller has sent too many */
  async check(request: IncomingMessage): Promise<void> {
    try {
      await this.#limiter.consume(this.#callerOf(request));
    } catch (refusal) {
      if (!(refusal instanceof RateLimiterRes)) throw refusal;
      const seconds = Math.max(1, Math.ceil(refusal.msBeforeNext / 1000));
      throw new Problem('too-many-requests', {
        detail: `The limit of one caller is ${this.#limit}. Try again in ${seconds} s.`,
        headers: { 'retry-after': String(seconds) },
      });
    }
  }

  /** The nearest address that is no trusted proxy: each proxy adds the address of its caller at the end. */
  #callerOf({ socket, headers }: IncomingMessage): string {
    const forwarded = String(headers['x-forwarded-for'] ?? '').split(',');
    const addresses = [...forwarded.map((each) => each.trim()), socket.remoteAddress ?? ''];
    const nearest = addresses.findLastIndex((address) => !this.#isTrusted(address));
    return callerOf(addresses[Math.max(0, nearest)] ?? '');
  }

  #isTrusted(address: string): boolean {
    return isIP(address) !== 0 && this.#trusted.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
  }
}

/** Whether a text is an address or a network, such as `10.0.0.0/8`. */
export function isNetwork(text: string): boolean {
  try {
    networksOf([text]);
    return true;
  } catch {
    return false;
  }
}

/** @throws Error if a text is neither an address nor a network */
function networksOf(texts: readonly string[]): BlockList {
  const networks = new BlockList();
  for (const text of texts) {
    const [address = '', bits, ...others] = text.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    if (others.length > 0) throw new Error(`${text} is no network`);
    if (bits === undefined) networks.addAddress(address, family);
    else networks.addSubnet(address, Number(bits), family);
  }
  return networks;
}

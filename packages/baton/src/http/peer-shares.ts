// What a server has for all its callers, shared out so that one caller never takes all of it.
import { isIPv6, type Socket } from 'node:net';

/** A network of IPv6 addresses that one caller usually has: the first 64 bits (RFC 6177). */
const NETWORK_GROUPS = 4;

/**
 * An amount, such as of bytes or places, that all callers of a server share. A peer address gets as much as it leaves free:
 * half if it is alone, half of the rest if there is another one, and so on. So nine of them together take all of 512, and
 * fewer do not. A share is not less, because all callers behind a load balancer have that one's address.
 */
export class PeerShares {
  readonly #limit: number;
  readonly #byPeer = new Map<string, number>();
  #taken = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Takes some of it. Returns false, and takes nothing, if the peer would have more than is left. */
  take(peer: string, amount: number): boolean {
    const own = (this.#byPeer.get(peer) ?? 0) + amount;
    if (own > this.#limit - this.#taken - amount) return false;
    this.#byPeer.set(peer, own);
    this.#taken += amount;
    return true;
  }

  giveBack(peer: string, amount: number): void {
    const own = (this.#byPeer.get(peer) ?? 0) - amount;
    if (own > 0) this.#byPeer.set(peer, own);
    else this.#byPeer.delete(peer);
    this.#taken -= amount;
  }
}

/** The caller at the other end of a connection: its IPv4 address, or the network of its IPv6 address. */
export function peerOf({ remoteAddress = '' }: Socket): string {
  return callerOf(remoteAddress);
}

/** The caller that an address belongs to: see `peerOf`. */
export function callerOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
  if (!isIPv6(plain)) return plain;
  const [front = '', back = ''] = plain.split('::');
  const known = [front, back].map((part) => part.split(':').filter(Boolean));
  const missing = 8 - known.flat().length;
  const groups = [...(known[0] ?? []), ...Array.from({ length: missing }, () => '0'), ...(known[1] ?? [])];
  return `${groups.slice(0, NETWORK_GROUPS).join(':')}::/64`;
}

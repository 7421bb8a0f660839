// The proxies in front of a process, and who calls through them.
import type { IncomingMessage } from 'node:http';
import { BlockList, isIP, isIPv6 } from 'node:net';
import { callerOf } from './peer-shares.ts';

/**
 * The proxies whose `x-forwarded-for` is believed. The header of any other peer is ignored, because it could name another
 * caller each time.
 */
export class TrustedProxies {
  readonly #trusted: BlockList;

  /** @param networks - addresses such as `10.0.0.7`, or networks such as `10.0.0.0/8` */
  constructor(networks: readonly string[]) {
    this.#trusted = networksOf(networks);
  }

  /** The nearest address that is no trusted proxy: each proxy adds the address of its caller at the end. */
  callerOf({ socket, headers }: IncomingMessage): string {
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

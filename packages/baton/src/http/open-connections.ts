// The open connections of a server, shared out among its peers, and which one gives way to a newcomer.
import type { Socket } from 'node:net';
import { peerOf } from './peer-shares.ts';

/** What a peer gets although more would be left to others: a browser opens six connections. */
const FEW = 8;

/** What the server does for a connection. */
interface Use {
  /** Requests whose bodies arrive, or that are worked on, or whose answers leave. */
  underWay: number;
  /** Those of them that are worked on. */
  worked: number;
}

/**
 * The connections of a server. A peer gets as many as it leaves free, and a few in any case. If none is left, a peer still
 * gets one in place of one of the peer that has most, if it has more. So peers who take all that they get end with as many
 * as each other, and a newcomer is let in.
 */
export class OpenConnections {
  readonly #limit: number;
  /** By peer. The connection on which nothing has begun or ended for longest comes first. */
  readonly #byPeer = new Map<string, Map<Socket, Use>>();
  #open = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Adds a connection until it closes. Returns false, and adds nothing, if there is no room for it. */
  add(socket: Socket): boolean {
    const peer = peerOf(socket);
    const own = this.#byPeer.get(peer)?.size ?? 0;
    if (!this.#hasRoom(own) && !this.#makeRoom(own)) return false;
    const sockets = this.#byPeer.get(peer) ?? new Map<Socket, Use>();
    this.#byPeer.set(peer, sockets.set(socket, { underWay: 0, worked: 0 }));
    this.#open += 1;
    socket.once('close', () => this.#remove(peer, socket));
    return true;
  }

  /** Counts that something begins (1) or ends (-1) on a connection. */
  count(socket: Socket, what: keyof Use, change: 1 | -1): void {
    const sockets = this.#byPeer.get(peerOf(socket));
    const use = sockets?.get(socket);
    if (!sockets || !use) return;
    use[what] += change;
    // To the end, as the last one on which something happened
    sockets.delete(socket);
    sockets.set(socket, use);
  }

  #hasRoom(own: number): boolean {
    const free = this.#limit - this.#open;
    return own < FEW ? free > 0 : own + 1 < free;
  }

  /** Closes a connection of the peer that has most. Returns false if the server has room, or none would have more than `own`. */
  #makeRoom(own: number): boolean {
    if (this.#limit - this.#open >= FEW) return false;
    const larger = [...this.#byPeer].filter(([, sockets]) => sockets.size > own + 1);
    for (const [peer, sockets] of larger.toSorted(([, a], [, b]) => b.size - a.size)) {
      const idle = longest(sockets, ({ underWay }) => underWay === 0);
      // Callers would be safe from this with bodies that never end, and answers that they do not read
      const socket = idle ?? longest(sockets, ({ worked }) => worked === 0);
      if (!socket) continue;
      this.#remove(peer, socket);
      socket.destroy();
      return true;
    }
    return false;
  }

  #remove(peer: string, socket: Socket): void {
    const sockets = this.#byPeer.get(peer);
    if (!sockets?.delete(socket)) return;
    if (sockets.size === 0) this.#byPeer.delete(peer);
    this.#open -= 1;
  }
}

function longest(sockets: ReadonlyMap<Socket, Use>, may: (use: Use) => boolean): Socket | undefined {
  for (const [socket, use] of sockets) if (may(use)) return socket;
  return undefined;
}

// The requests of one connection, of which one is under way at a time.
import { IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { heldMemory } from './held-memory.ts';
import { peerOf } from './peer-shares.ts';

/**
 * How many parsed requests wait behind the one under way. Node parses all that one read of the socket brings, up to this
 * number; then reading stops. A caller who sends more at once loses the connection.
 */
const MAX_WAITING = 16;
/** About the most bytes that a waiting request takes, and each of its headers beside its text. */
const REQUEST_BYTES = 4096;
const HEADER_BYTES = 64;
/** The most that one read of a socket brings. */
const READ_BYTES = 65_536;

/** A request and its answer. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/**
 * Begins each request of a connection once the answer before it has left. Meanwhile the further requests that the caller
 * has sent (RFC 9112, section 9.3.2: pipelining) stay in the socket, so they take no memory. Those that Node has read
 * already take some, and the connection closes if their caller has no share left for it. It also closes if one of them has
 * a body in chunks, because Node keeps each chunk by itself, however small.
 */
export class Connection {
  readonly #socket: Socket;
  readonly #peer: string;
  readonly #begin: (exchange: Exchange) => void;
  readonly #waiting: Exchange[] = [];
  #heldBytes = 0;
  #busy = false;

  constructor(socket: Socket, begin: (exchange: Exchange) => void) {
    this.#socket = socket;
    this.#peer = peerOf(socket);
    this.#begin = begin;
    // Node resumes the socket by itself after each request that it has parsed
    socket.on('resume', () => this.#hold());
    socket.once('close', () => this.#drop());
  }

  /** Whether it can take no other request: the caller has closed it, or sent too many at once. */
  get full(): boolean {
    return this.#waiting.length >= MAX_WAITING || this.#socket.destroyed;
  }

  /** Begins a request now, or after those before it. */
  take(exchange: Exchange): void {
    if (!this.#busy) this.#start(exchange);
    else if (this.#keep(exchange)) this.#hold();
    else this.#refuse(exchange);
  }

  /** Closes the connection. Node reads the rest of this request, and keeps it until the connection has closed. */
  #refuse({ request }: Exchange): void {
    discardBody(request);
    request.rawHeaders.length = 0;
    this.#socket.destroy();
  }

  /** Lets a request wait. Returns whether there is room for it. */
  #keep(exchange: Exchange): boolean {
    if (this.full) return false;
    const bytes = bytesOf(exchange.request);
    if (bytes === undefined) return false;
    if (!heldMemory.take(this.#peer, bytes)) return false;
    this.#heldBytes += bytes;
    this.#waiting.push(exchange);
    return true;
  }

  #drop(): void {
    this.#waiting.length = 0;
    heldMemory.giveBack(this.#peer, this.#heldBytes);
    this.#heldBytes = 0;
  }

  #start(exchange: Exchange): void {
    this.#busy = true;
    exchange.response.once('close', () => this.#next());
    this.#begin(exchange);
  }

  #next(): void {
    this.#busy = false;
    // The answer before may have announced that the connection closes
    if (!this.#socket.writable) this.#drop();
    const next = this.#waiting.shift();
    if (next) this.#start(next);
    if (this.#waiting.length > 0) return;
    this.#drop();
    this.#socket.resume();
  }

  #hold(): void {
    if (this.#waiting.length > 0) this.#socket.pause();
  }
}

/** Throws away what comes of a request's body. Node would keep it until somebody reads it, or the answer has left. */
export function discardBody(request: IncomingMessage): void {
  request.on('data', () => undefined);
}

/**
 * Makes a class for Node's requests: a full connection is closed at its next request, and nothing after that is parsed.
 * Node would parse thousands that one read of the socket brings, and keep them until the connection has closed. It stops
 * at a request that changes the protocol (Node: "Event: 'upgrade'"), and closes the connection if nobody listens for those.
 */
export function boundedRequests(
  connectionOf: (socket: Socket) => Connection | undefined,
): typeof IncomingMessage {
  return class extends IncomingMessage {
    constructor(socket: Socket) {
      super(socket);
      if (!connectionOf(socket)?.full) return;
      Object.defineProperty(this, 'upgrade', { get: () => true, set() {} });
    }
  };
}

/**
 * About how many bytes a parsed request takes, with the part of its body that Node has read. Undefined if the body comes in
 * chunks. Does not look at `headers`, which Node makes when somebody does.
 */
function bytesOf({ rawHeaders, url = '' }: IncomingMessage): number | undefined {
  let bytes = REQUEST_BYTES + url.length + (rawHeaders.length / 2) * HEADER_BYTES;
  for (const [index, part] of rawHeaders.entries()) {
    bytes += part.length;
    if (index % 2 === 1) continue;
    const name = part.toLowerCase();
    if (name === 'transfer-encoding') return undefined;
    if (name === 'content-length') bytes += Math.min(Number(rawHeaders[index + 1]), READ_BYTES);
  }
  return bytes;
}

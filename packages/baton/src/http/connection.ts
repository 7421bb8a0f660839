// The requests of one connection, of which one is under way at a time.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * How many parsed requests wait behind the one under way. Node parses all that one read of the socket brings; then reading
 * stops. Each waiting request takes a few KB, so a caller who sends more at once loses the connection.
 */
const MAX_WAITING = 16;

/** A request and its answer. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/**
 * Begins each request of a connection once the answer before it has left. Meanwhile the further requests that the caller
 * has sent (RFC 9112, section 9.3.2: pipelining) stay in the socket, so they take no memory.
 */
export class Connection {
  readonly #socket: Socket;
  readonly #begin: (exchange: Exchange) => void;
  readonly #waiting: Exchange[] = [];
  #busy = false;

  constructor(socket: Socket, begin: (exchange: Exchange) => void) {
    this.#socket = socket;
    this.#begin = begin;
    // Node resumes the socket by itself after each request that it has parsed
    socket.on('resume', () => this.#hold());
    socket.once('close', () => this.#waiting.splice(0));
  }

  /** Begins a request now, or after those before it. */
  take(exchange: Exchange): void {
    if (!this.#busy) this.#start(exchange);
    else if (this.#waiting.push(exchange) > MAX_WAITING) this.#socket.destroy();
    else this.#hold();
  }

  #start(exchange: Exchange): void {
    this.#busy = true;
    exchange.response.once('close', () => this.#next());
    this.#begin(exchange);
  }

  #next(): void {
    this.#busy = false;
    // The answer before may have announced that the connection closes
    if (!this.#socket.writable) this.#waiting.splice(0);
    const next = this.#waiting.shift();
    if (next) this.#start(next);
    if (this.#waiting.length === 0) this.#socket.resume();
  }

  #hold(): void {
    if (this.#waiting.length > 0) this.#socket.pause();
  }
}

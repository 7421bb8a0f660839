// An HTTP server that stops gracefully, and that no caller can fill or hold up.
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { boundedRequests, Connection, discardBody, type Exchange } from './connection.ts';
import { DEFAULT_HEADERS } from './http-message.ts';
import { OpenConnections } from './open-connections.ts';
import { peerOf, PeerShares } from './peer-shares.ts';
import { Problem } from './problem.ts';
import { readBody } from './request-body.ts';
import { checkFraming } from './framing.ts';
import { MAX_PARTS, normalizeTarget } from './request-target.ts';

/** Load balancers keep a connection for 60 s by default (AWS: "Application Load Balancers", idle timeout). */
const KEEP_ALIVE_SECONDS = 65;
const REQUEST_TIMEOUT_SECONDS = 75;
/** The longest body of an API has 256 KiB, so this is a rate of 26 KB a second. */
const BODY_TIMEOUT_SECONDS = 10;
/** API Gateway gives a whole request of an HTTP API as long (AWS: "Quotas"). */
const ANSWER_TIMEOUT_SECONDS = 30;
/** An open connection takes about 30 KB. */
const MAX_CONNECTIONS = 2000;
/** One peer gets half: 256. */
const MAX_UNDER_WAY = 512;
const BUSY_RETRY_AFTER_SECONDS = 1;
/** How often Node looks for requests that take too long, and this file for answers. Node's default is 30 s. */
const CHECKING_MS = 1000;
/** How long a stop waits for connections that have sent no request yet. */
const QUIET_MS = 500;

/** A running server. */
export interface RunningServer {
  readonly port: number;
  /** How many requests are under way. */
  readonly underWay: number;
  /** Accepts no new requests. Resolves once the requests under way are answered. Closes all other connections. */
  close(): Promise<void>;
  /** Cuts all connections, even if requests are under way. */
  cut(): void;
}

/** The address that a server listens at. */
export interface Address {
  /** With 127.0.0.1, only its own machine reaches it. */
  readonly host: string;
  /** 0 means any free port. */
  readonly port: number;
}

/** Configures how long a server waits for its callers. */
export interface ConnectionTimeouts {
  /**
   * How long an idle connection is kept. Must be longer than a load balancer or proxy in front of the server keeps it:
   * otherwise a request may arrive while the connection closes, which gives a 502. Default 65.
   */
  readonly keepAliveSeconds?: number;
  /**
   * How long the headers and body of a request may take to arrive. Must be longer than `keepAliveSeconds`, because Node
   * counts a new connection without data as a request. Default 75.
   */
  readonly requestTimeoutSeconds?: number;
  /** How long the body alone may take to arrive, from the time that the server reads it. Default 10. */
  readonly bodyTimeoutSeconds?: number;
  /**
   * How long a caller may take to read an answer. Then the connection is cut. Also how long a request whose caller has hung
   * up counts, while the code of its route still runs. Default 30.
   */
  readonly answerTimeoutSeconds?: number;
  /** How many requests are worked on at most, shared by peer: one alone gets half of them. Default 512. */
  readonly maxUnderWay?: number;
  /** How many connections are open at most, shared by peer: one alone gets half of them. Default 2,000. */
  readonly maxConnections?: number;
}

/** A request that a server has to answer. */
export interface Incoming extends Exchange {
  /** Whose shares the request takes: see `Answering.callerOf`. */
  readonly peer: string;
  /**
   * Reads the body, and then takes a place.
   *
   * @throws Problem 413 if it is too large, 408 if it takes too long, 503 while other bodies take all the memory or other
   *   requests all places
   */
  readonly body: (maxBytes: number) => Promise<Buffer>;
  /**
   * Takes a place among the requests that are worked on, for one whose body is not read. It is given back once the promise of
   * `answer` has settled, or the connection is closed.
   *
   * @throws Problem 503 while other requests have all places, or those of the same peer its share
   */
  readonly place: () => void;
}

/** Answers the requests of a server. */
export interface Answering {
  /** Who sends a request, if that is not the peer at the other end of its connection. */
  readonly callerOf?: (request: IncomingMessage) => string | undefined;
  /** Answers a request. Must not reject. Resolves once only the answer is left, which the caller may be slow to read. */
  readonly answer: (incoming: Incoming) => Promise<unknown>;
  /** Answers a request that is refused before it is looked at, because it breaks HTTP. */
  readonly refuse: (response: ServerResponse, problem: Problem) => unknown;
}

/**
 * Listens for HTTP requests. One request of a connection is under way at a time. Beyond `maxUnderWay` requests can take no
 * place. A request has none while its body arrives, or its answer is read: connections bound those. There are 2,000,
 * shared by peer: see `OpenConnections`. An answer that nobody reads is cut off.
 *
 * @throws Error if the port is taken
 */
export async function listenAt(
  address: Address & ConnectionTimeouts,
  answering: Answering,
): Promise<RunningServer> {
  const server = new Listener(address, answering);
  await listen(server.http, address);
  return server;
}

class Listener implements RunningServer {
  readonly http: Server;
  readonly #answering: Answering;
  readonly #places: PeerShares;
  readonly #bodyWithinMs: number;
  readonly #answerWithinMs: number;
  readonly #sockets = new Map<Socket, Connection>();
  readonly #connections: OpenConnections;
  /** The requests under way, and when their answers began to leave. */
  readonly #underWay = new Map<ServerResponse, number | undefined>();
  #closing = false;

  constructor(options: ConnectionTimeouts, answering: Answering) {
    const { keepAliveSeconds = KEEP_ALIVE_SECONDS, requestTimeoutSeconds = REQUEST_TIMEOUT_SECONDS } =
      options;
    const { bodyTimeoutSeconds = BODY_TIMEOUT_SECONDS, answerTimeoutSeconds = ANSWER_TIMEOUT_SECONDS } =
      options;
    this.#places = new PeerShares(options.maxUnderWay ?? MAX_UNDER_WAY);
    this.#connections = new OpenConnections(options.maxConnections ?? MAX_CONNECTIONS);
    this.#bodyWithinMs = bodyTimeoutSeconds * 1000;
    this.#answerWithinMs = answerTimeoutSeconds * 1000;
    this.#answering = answering;
    this.http = createServer({
      IncomingMessage: boundedRequests((socket) => this.#sockets.get(socket)),
      keepAliveTimeout: keepAliveSeconds * 1000,
      headersTimeout: requestTimeoutSeconds * 1000,
      requestTimeout: requestTimeoutSeconds * 1000,
      connectionsCheckingInterval: CHECKING_MS,
      // `normalizeTarget` refuses what lacks it, so that nothing after it is begun
      requireHostHeader: false,
    });
    const take = (request: IncomingMessage, response: ServerResponse): void =>
      this.#sockets.get(request.socket)?.take({ request, response });
    // A body that is refused is not asked for: reading one sends "100 Continue"
    this.http.on('request', take).on('checkContinue', take).on('checkExpectation', take);
    // Node keeps no more of them, not even for a request that waits. `normalizeTarget` refuses one that has more
    this.http.maxHeadersCount = MAX_PARTS + 1;
    this.http.on('connection', (socket: Socket) => this.#connected(socket));
    this.http.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) =>
      this.#broken(error, socket),
    );
    const checking = setInterval(() => this.#cutUnread(), CHECKING_MS).unref();
    this.http.once('close', () => clearInterval(checking));
  }

  get port(): number {
    return (this.http.address() as AddressInfo).port;
  }

  get underWay(): number {
    return this.#underWay.size;
  }

  async close(): Promise<void> {
    this.#closing = true;
    // The answers announce that their connections close, so that no caller sends another request on them
    for (const response of this.#underWay.keys()) response.shouldKeepAlive = false;
    // Node closes only connections that have had a request. Those that sent nothing, or half a header, would stay
    const quiet = setTimeout(() => this.#closeQuiet(), QUIET_MS);
    await close(this.http);
    clearTimeout(quiet);
  }

  cut(): void {
    this.http.closeAllConnections();
  }

  #connected(socket: Socket): void {
    if (!this.#connections.add(socket)) return void socket.destroy();
    this.#sockets.set(socket, new Connection(socket, (exchange) => this.#begin(exchange)));
    socket.once('close', () => this.#sockets.delete(socket));
  }

  #begin({ request, response }: Exchange): void {
    response.setHeaders(new Map(Object.entries(DEFAULT_HEADERS)));
    response.shouldKeepAlive &&= !this.#closing;
    const problem = refusalOf(request);
    this.#underWay.set(response, undefined);
    this.#connections.count(request.socket, 'underWay', 1);
    response.once('close', () => {
      this.#underWay.delete(response);
      this.#connections.count(request.socket, 'underWay', -1);
      // Headers that were sent before the stop may have promised to keep the connection
      if (this.#closing) this.http.closeIdleConnections();
    });
    if (!problem) return void this.#answer({ request, response });
    this.#answering.refuse(response, problem);
    discardBody(request);
  }

  async #answer({ request, response }: Exchange): Promise<void> {
    const { socket } = request;
    const peer = this.#answering.callerOf?.(request) ?? peerOf(socket);
    let placed = false;
    /** What it has taken of the server, each as the function that gives it back. */
    const taken: (() => void)[] = [];
    const giveBack = (): void => {
      for (const each of taken.splice(0)) each();
    };
    const place = (): void => {
      if (placed || response.closed) return;
      placed = this.#places.take(peer, 1);
      if (!placed) throw noPlace();
      this.#connections.count(socket, 'worked', 1);
      taken.push(() => {
        this.#places.giveBack(peer, 1);
        this.#connections.count(socket, 'worked', -1);
      });
    };
    const body = async (maxBytes: number): Promise<Buffer> => {
      const whole = await readBody({ request, response }, { maxBytes, withinMs: this.#bodyWithinMs, peer });
      taken.push(whole.giveBack);
      place();
      return whole.bytes;
    };
    // Not at once: a caller who hangs up could have any number of requests worked on. The code of a route may never end
    let timer: NodeJS.Timeout | undefined;
    const hungUp = (): void => {
      timer = setTimeout(giveBack, this.#answerWithinMs).unref();
    };
    response.once('close', hungUp);
    await this.#answering.answer({ request, response, peer, body, place });
    response.off('close', hungUp);
    clearTimeout(timer);
    discardBody(request);
    giveBack();
  }

  /** Answers what is not HTTP, or comes too late, as Node does, with the headers of every answer. */
  #broken({ code = '' }: NodeJS.ErrnoException, socket: Socket): void {
    const begun = [...this.#underWay.keys()].some(
      (response) => response.socket === socket && response.headersSent,
    );
    if (socket.writable && !begun) {
      const status = STATUS_BY_ERROR[code] ?? 400;
      const headers = { ...DEFAULT_HEADERS, connection: 'close', 'content-length': '0' };
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
      socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n`);
    }
    socket.destroy();
  }

  #cutUnread(): void {
    const nowMs = performance.now();
    for (const [response, sinceMs] of this.#underWay) {
      if (!response.headersSent) continue;
      if (sinceMs === undefined) this.#underWay.set(response, nowMs);
      else if (nowMs - sinceMs > this.#answerWithinMs) response.destroy();
    }
  }

  #closeQuiet(): void {
    const busy = new Set([...this.#underWay.keys()].map(({ socket }) => socket));
    for (const socket of this.#sockets.keys()) if (!busy.has(socket)) socket.destroy();
  }
}

/** Why a request is refused before it is looked at. */
function refusalOf(request: IncomingMessage): Problem | undefined {
  try {
    normalizeTarget(request);
    checkFraming(request);
  } catch (error) {
    return error as Problem;
  }
  const { expect = '100-continue' } = request.headers;
  if (expect.toLowerCase() === '100-continue') return undefined;
  return new Problem('expectation-failed', {
    detail: 'The Expect header is unknown; expected 100-continue.',
  });
}

function noPlace(): Problem {
  return new Problem('service-unavailable', {
    detail: `The server works on as many requests as it can, or on as many of one address. Try again in ${BUSY_RETRY_AFTER_SECONDS} s.`,
    headers: { connection: 'close', 'retry-after': String(BUSY_RETRY_AFTER_SECONDS) },
  });
}

/** The statuses of Node's errors about a request (Node: "Event: 'clientError'"). Any other is 400. */
const STATUS_BY_ERROR: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

function listen(server: Server, { host, port }: Address): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', (error: NodeJS.ErrnoException) => {
    reject(
      error.code === 'EADDRINUSE'
        ? new Error(`Port ${port} of ${host} is taken by another program: expected a free one`, {
            cause: error,
          })
        : error,
    );
  });
  server.listen(port, host, resolve);
  return promise;
}

function close(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  server.closeIdleConnections();
  return promise;
}

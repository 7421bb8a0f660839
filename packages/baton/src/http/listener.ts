// An HTTP server that stops gracefully.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** Load balancers keep a connection for 60 s by default (AWS: "Application Load Balancers", idle timeout). */
const KEEP_ALIVE_SECONDS = 65;
const REQUEST_TIMEOUT_SECONDS = 75;
/** How often Node looks for requests that take too long. Its default is 30 s. */
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
}

/**
 * Listens for HTTP requests.
 *
 * @param answer - answers a request. Must not throw
 * @throws Error if the port is taken
 */
export async function listenAt(
  address: Address & ConnectionTimeouts,
  answer: (request: IncomingMessage, response: ServerResponse) => unknown,
): Promise<RunningServer> {
  const { keepAliveSeconds = KEEP_ALIVE_SECONDS, requestTimeoutSeconds = REQUEST_TIMEOUT_SECONDS } = address;
  const requestTimeoutMs = requestTimeoutSeconds * 1000;
  const underWay = new Map<ServerResponse, Socket>();
  const sockets = new Set<Socket>();
  let closing = false;
  const server = createServer(
    {
      keepAliveTimeout: keepAliveSeconds * 1000,
      headersTimeout: requestTimeoutMs,
      requestTimeout: requestTimeoutMs,
      connectionsCheckingInterval: CHECKING_MS,
    },
    (request, response) => {
      underWay.set(response, request.socket);
      response.shouldKeepAlive &&= !closing;
      response.once('close', () => {
        underWay.delete(response);
        // Headers that were sent before the stop may have promised to keep the connection
        if (closing) server.closeIdleConnections();
      });
      void answer(request, response);
    },
  );
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await listen(server, address);
  const closeQuiet = (): void => {
    const busy = new Set(underWay.values());
    for (const socket of sockets) if (!busy.has(socket)) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    get underWay() {
      return underWay.size;
    },
    close: async () => {
      closing = true;
      // The answers announce that their connections close, so that no caller sends another request on them
      for (const response of underWay.keys()) response.shouldKeepAlive = false;
      // Node closes only connections that have had a request. Those that sent nothing, or half a header, would stay
      const quiet = setTimeout(closeQuiet, QUIET_MS);
      await close(server);
      clearTimeout(quiet);
    },
    cut: () => server.closeAllConnections(),
  };
}

/**
 * Reads the body of a request.
 *
 * @param fits - gets the number of bytes that have arrived. If it returns false, the rest is not read
 * @returns undefined if the body does not fit
 */
export async function readBody(
  request: IncomingMessage,
  fits: (bytes: number) => boolean,
): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  // An early return must not destroy the socket, because the answer is still to be sent
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength;
    if (!fits(bytes)) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

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

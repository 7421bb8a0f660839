import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** Load balancers keep a connection for 60 s by default (AWS: "Application Load Balancers", idle timeout). */
const KEEP_ALIVE_SECONDS = 65;
const REQUEST_TIMEOUT_SECONDS = 75;
/** How often Node looks for requests that take too long: every 30 s unless it is told. */
const CHECKING_MS = 1000;
/** What a connection without a request has left to send one, after a stop has begun. */
const QUIET_MS = 500;

/** A running server. */
export interface RunningServer {
  readonly port: number;
  /** How many requests are under way. */
  readonly underWay: number;
  /** Takes no new requests, resolves once those under way are answered. Connections without a request are closed. */
  close(): Promise<void>;
  /** Cuts all connections, whatever is under way. */
  cut(): void;
}

/** Where a server listens. */
export interface Address {
  /** 127.0.0.1 keeps it to this machine. */
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
}

/** How long a server waits for its callers. */
export interface ConnectionTimeouts {
  /**
   * How long a connection waits for its next request. It has to be longer than what stands before the server keeps idle
   * connections: otherwise a request may meet its end, which is a 502. Default 65.
   */
  readonly keepAliveSeconds?: number;
  /**
   * How long a request may take to come in, headers and body. It has to be longer than `keepAliveSeconds`, because a new
   * connection on which nothing has come counts as a request. Default 75.
   */
  readonly requestTimeoutSeconds?: number;
}

/**
 * Listens for HTTP requests.
 *
 * @param answer - answers a request, and throws nothing
 * @throws Error when the port is taken
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
        // Its headers may have gone out before the stop, and promised a connection that stays
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
      // The answer says that its connection closes, so that no caller sends another request on it
      for (const response of underWay.keys()) response.shouldKeepAlive = false;
      // Node closes those alone that have had a request; one that has sent nothing, or half a header, would stay
      const quiet = setTimeout(closeQuiet, QUIET_MS);
      await close(server);
      clearTimeout(quiet);
    },
    cut: () => server.closeAllConnections(),
  };
}

/** The body of a request; undefined, and the rest unread, once there is no `room` for as many bytes as have come. */
export async function readBody(
  request: IncomingMessage,
  room: (bytes: number) => boolean,
): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  // The answer still has to go out on this socket: leaving early must not destroy it
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength;
    if (!room(bytes)) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function listen(server: Server, { host, port }: Address): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', (error: NodeJS.ErrnoException) => {
    reject(
      error.code === 'EADDRINUSE'
        ? new Error(`Port ${port} of ${host} is taken by another program`, { cause: error })
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

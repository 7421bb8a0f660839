import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { v7 as uuidv7 } from 'uuid';
import type { Logger } from '../telemetry/logger.ts';
import type { ApiHandler } from './api.ts';
import { toGatewayEvent } from './gateway-event.ts';
import type { HttpResponse } from './http-message.ts';
import { MAX_BODY_BYTES } from './json-body.ts';
import { Problem } from './problem.ts';

const HEALTH_TIMEOUT_MS = 3000;
const REQUEST_TIMEOUT_MS = 30_000;
const HEADERS_TIMEOUT_MS = 10_000;
/** More than a body may have, so that the API itself can say how much it was. */
const MAX_READ_BYTES = 4 * MAX_BODY_BYTES;

/** What a service's server serves. */
export interface ServerOptions {
  readonly handler: ApiHandler;
  /** Resolves when the service can do its work; what it rejects with is said at `/health/ready`. */
  readonly ready: () => Promise<unknown>;
  /** Resolves while the process can go on; what it rejects with is said at `/health/live`. Default: it can. */
  readonly live?: () => Promise<unknown>;
  /** What `/health/state` tells; the route is not there without it. */
  readonly state?: () => object;
  /** The address to listen at; 127.0.0.1 keeps the service to this machine. */
  readonly host: string;
  /** The port to listen at; 0 takes any free one. */
  readonly port: number;
  readonly logger: Logger;
}

/** A running server. */
export interface RunningServer {
  readonly port: number;
  /** Takes no new requests, resolves once those under way are answered. */
  close(): Promise<void>;
}

/**
 * Serves an API by HTTP, as API Gateway does in front of Lambda, with `/health/live` (the process runs) and
 * `/health/ready` (it can do its work) beside the routes.
 *
 * @throws Error when the port is taken
 */
export async function serve(options: ServerOptions): Promise<RunningServer> {
  const { host, port, logger } = options;
  let closing = false;
  const server = createServer(
    { requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: HEADERS_TIMEOUT_MS },
    (request, response) => {
      void answer(request, options)
        .catch((error: unknown) => unanswered(error, logger))
        .then((answered) => write(response, answered, closing))
        .catch((error: unknown) => {
          logger.error({ error }, 'answer could not be written');
          response.destroy();
        });
    },
  );
  await listen(server, port, host);
  const stop = (): Promise<void> => {
    closing = true;
    return close(server);
  };
  return { port: (server.address() as AddressInfo).port, close: stop };
}

async function answer(
  request: IncomingMessage,
  { handler, live = async () => undefined, ready, state }: ServerOptions,
): Promise<HttpResponse> {
  if (request.url === '/health/state' && state) return health(200, state());
  if (request.url === '/health/live') return checked('live', live);
  if (request.url === '/health/ready') return checked('ready', ready);
  const body = await readBody(request);
  return handler(toGatewayEvent(request, body), {});
}

function checked(status: string, check: () => Promise<unknown>): Promise<HttpResponse> {
  return within(HEALTH_TIMEOUT_MS, check()).then(
    () => health(200, { status }),
    (error: unknown) => health(503, { status: `not ${status}`, reason: reasonOf(error) }),
  );
}

async function within(limitMs: number, work: Promise<unknown>): Promise<void> {
  const late = new AbortController();
  const timer = sleep(limitMs, undefined, late).then(() =>
    Promise.reject(new Error(`No answer within ${limitMs} ms`)),
  );
  await Promise.race([work, timer]).finally(() => late.abort());
}

function reasonOf(error: unknown): string {
  return Error.isError(error) ? error.message || error.name : String(error);
}

function health(statusCode: number, body: object): HttpResponse {
  const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' };
  return { statusCode, headers, body: JSON.stringify(body) };
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  // The answer still has to go out on this socket: leaving early must not destroy it
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength;
    if (bytes > MAX_READ_BYTES) {
      const detail = `The body is more than ${MAX_READ_BYTES} bytes long; at most ${MAX_BODY_BYTES} are taken.`;
      throw new Problem('body-too-large', { detail, headers: { connection: 'close' } });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function write(
  response: ServerResponse,
  { statusCode, headers, body }: HttpResponse,
  closing: boolean,
): void {
  const connection = closing && { connection: 'close' };
  response.writeHead(statusCode, { ...headers, ...connection, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

function unanswered(error: unknown, logger: Logger): HttpResponse {
  const requestId = uuidv7();
  const detail = 'The request could not be answered. The log has more under its requestId.';
  const problem = error instanceof Problem ? error : new Problem('internal-error', { detail, cause: error });
  if ((error as NodeJS.ErrnoException).code === 'ECONNRESET')
    logger.info({ requestId }, 'the caller hung up');
  else if (problem.status >= 500) logger.error({ requestId, error }, 'request could not be answered');
  const response = problem.toResponse(requestId);
  return { ...response, headers: { ...response.headers, 'x-request-id': requestId } };
}

function listen(server: Server, port: number, host: string): Promise<void> {
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

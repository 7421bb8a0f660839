// The HTTP server of an API, with the health routes of its process.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { v7 as uuidv7 } from 'uuid';
import type { Logger } from '../telemetry/logger.ts';
import { isInstance, readThrown, reasonOf } from '../telemetry/thrown.ts';
import { within } from '../time/within.ts';
import type { ApiHandler } from './router.ts';
import { toGatewayEvent } from './gateway-event.ts';
import type { HttpResponse } from './http-message.ts';
import { MAX_BODY_BYTES } from './json-body.ts';
import { type Address, type ConnectionTimeouts, listenAt, readBody, type RunningServer } from './listener.ts';
import { Problem } from './problem.ts';

const HEALTH_TIMEOUT_MS = 3000;
/** Larger than a body may be, so that the API can name the size of most bodies that are too large. */
const MAX_READ_BYTES = 4 * MAX_BODY_BYTES;
/** The memory for all bodies under way. Far more than usual callers need, and far less than a container has. */
const MAX_HELD_BYTES = 16 * MAX_READ_BYTES;
const FULL_RETRY_AFTER_SECONDS = 1;

let heldBytes = 0;

/** Configures the server of an API. */
export interface ServerOptions extends Address, ConnectionTimeouts {
  readonly handler: ApiHandler;
  /** Resolves if the service can do its work. `/health/ready` shows the reason if it rejects. */
  readonly ready: () => Promise<unknown>;
  /** Rejects if only a new process can help. `/health/live` shows the reason. Default: never rejects. */
  readonly live?: () => Promise<unknown>;
  /** The answer of `/health/state`. Without it, the route is missing. */
  readonly state?: () => object;
  readonly logger: Logger;
}

/**
 * Serves an API by HTTP, as API Gateway does in front of Lambda. Adds the routes `/health/live` (the process runs) and
 * `/health/ready` (it can do its work).
 *
 * @throws Error if the port is taken
 */
export function serve(options: ServerOptions): Promise<RunningServer> {
  const { logger } = options;
  return listenAt(options, (request, response) =>
    answer(request, response, options)
      .catch((error: unknown) => unanswered(error, logger))
      .then((answered) => write(response, answered))
      .catch((error: unknown) => {
        logger.error({ error }, 'answer could not be written');
        response.destroy();
      }),
  );
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { handler, live = async () => undefined, ready, state }: ServerOptions,
): Promise<HttpResponse> {
  if (request.url === '/health/state' && state) return health(200, state());
  if (request.url === '/health/live') return checked('live', live);
  if (request.url === '/health/ready') return checked('ready', ready);
  return handler(toGatewayEvent(request, await readRequestBody(request, response)), {});
}

function checked(status: string, check: () => Promise<unknown>): Promise<HttpResponse> {
  const late = (): never => {
    throw new Error(`No answer within ${HEALTH_TIMEOUT_MS} ms`);
  };
  return within(HEALTH_TIMEOUT_MS, check(), late).then(
    () => health(200, { status }),
    (error: unknown) => health(503, { status: `not ${status}`, reason: reasonOf(error) }),
  );
}

function health(statusCode: number, body: object): HttpResponse {
  const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' };
  return { statusCode, headers, body: JSON.stringify(body) };
}

/**
 * Reads the body of a request to an API.
 *
 * @throws Problem 413 if it is far too large, 503 while other bodies use all the memory for bodies
 */
export async function readRequestBody(request: IncomingMessage, response: ServerResponse): Promise<Buffer> {
  let ownBytes = 0;
  response.once('close', () => (heldBytes -= ownBytes));
  const body = await readBody(request, (bytes) => {
    heldBytes += bytes - ownBytes;
    ownBytes = bytes;
    return bytes <= MAX_READ_BYTES && heldBytes <= MAX_HELD_BYTES;
  });
  if (body) return body;
  if (ownBytes > MAX_READ_BYTES) {
    const detail = `The body has more than ${MAX_READ_BYTES} bytes; expected at most ${MAX_BODY_BYTES}.`;
    throw new Problem('body-too-large', { detail, headers: { connection: 'close' } });
  }
  const detail = `Other requests use all the memory for bodies. Try again in ${FULL_RETRY_AFTER_SECONDS} s.`;
  const headers = { connection: 'close', 'retry-after': String(FULL_RETRY_AFTER_SECONDS) };
  throw new Problem('service-unavailable', { detail, headers });
}

/** Writes an answer to a request of Node's HTTP server. Closes the connection after a 503. */
export function write(response: ServerResponse, { statusCode, headers, body }: HttpResponse): void {
  // The process may lack file descriptors, and load balancers would keep the idle connection for long
  if (statusCode === 503) response.shouldKeepAlive = false;
  const length = statusCode === 204 ? {} : { 'content-length': Buffer.byteLength(body) };
  response.writeHead(statusCode, { ...headers, ...length });
  response.end(body);
}

/** Makes the answer to a request whose handling threw, and logs the error. */
export function unanswered(error: unknown, logger: Logger): HttpResponse {
  const requestId = uuidv7();
  const detail = 'An unexpected error. The log has it under the requestId.';
  const known = isInstance(error, Problem);
  const problem = known ? error : new Problem('internal-error', { detail, cause: error });
  if (readThrown(error).properties['code'] === 'ECONNRESET')
    logger.info({ requestId }, 'caller closed the connection');
  else if (problem.status >= 500) logger.error({ requestId, error }, 'request could not be answered');
  const response = problem.toResponse(requestId);
  return { ...response, headers: { ...response.headers, 'x-request-id': requestId } };
}

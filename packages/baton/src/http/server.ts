// The HTTP servers of an API and of a process's health.
import type { ServerResponse } from 'node:http';
import { v7 as uuidv7 } from 'uuid';
import type { Logger } from '../telemetry/logger.ts';
import { isInstance, readThrown } from '../telemetry/thrown.ts';
import { type ApiHandler, createRouter } from './router.ts';
import { toGatewayEvent } from './gateway-event.ts';
import { Health, type HealthOptions } from './health.ts';
import type { HttpResponse } from './http-message.ts';
import { MAX_BODY_BYTES } from './json-body.ts';
import {
  type Address,
  type Answering,
  type ConnectionTimeouts,
  type Incoming,
  listenAt,
  type RunningServer,
} from './listener.ts';
import { forwardedCaller } from './forwarded-caller.ts';
import { peerOf, PeerShares } from './peer-shares.ts';
import { Problem } from './problem.ts';
import type { RateLimit } from './rate-limit.ts';
import { checkWebPage } from './web-pages.ts';

/** The memory for all answers of the process that their callers have not read yet. */
const MAX_UNREAD_BYTES = 32 * 1024 * 1024;
const UNREAD_RETRY_AFTER_SECONDS = 5;

const unread = new PeerShares(MAX_UNREAD_BYTES);

/** Configures the server of an API. */
export interface ServerOptions extends Address, ConnectionTimeouts {
  readonly handler: ApiHandler;
  /** Answers `/health/...` before the API does. Without it, those paths are the API's. */
  readonly health?: Health;
  /** The limit of each caller. Default: none. Health has none. */
  readonly rateLimit?: RateLimit | undefined;
  /**
   * The names of this server in Host headers, beside those of this machine: it refuses requests of web pages, as it must if
   * everybody may call. Health answers all. Default: any name and page, because tokens protect the API.
   */
  readonly allowedHosts?: readonly string[] | undefined;
  /**
   * The secret of the gateway in front. What its callers send counts as theirs: otherwise one of them could take all that the
   * gateway gets. Default: the peer at the other end of a connection is the caller.
   */
  readonly gatewayToken?: string | undefined;
  readonly logger: Logger;
}

/**
 * Serves an API by HTTP, as API Gateway does in front of Lambda.
 *
 * @throws Error if the port is taken
 */
export function serve(options: ServerOptions): Promise<RunningServer> {
  const { handler, health, rateLimit, allowedHosts, gatewayToken, logger } = options;
  const answer = async ({ request, body }: Incoming): Promise<HttpResponse> => {
    const healthy = health?.answer(request.url);
    if (healthy) return healthy;
    checkWebPage(request, allowedHosts);
    await rateLimit?.check(request);
    return handler(toGatewayEvent(request, await body(MAX_BODY_BYTES)), {});
  };
  const answering = problemsOf(logger, answer);
  if (gatewayToken === undefined) return listenAt(options, answering);
  return listenAt(options, {
    ...answering,
    callerOf: (request) => forwardedCaller(request, gatewayToken),
  });
}

/** Serves only the health of a process. @throws Error if the port is taken */
export function serveProcessHealth(options: Address & HealthOptions): Promise<RunningServer> {
  const { host, port, logger } = options;
  return serve({ host, port, logger, health: new Health(options), handler: createRouter({ logger }, []) });
}

/** Makes the answers of an API's server: problems are answers too, and so is every error. */
export function problemsOf(
  logger: Logger,
  answering: (incoming: Incoming) => Promise<HttpResponse | undefined>,
): Answering {
  const end = (response: ServerResponse, answered: HttpResponse, peer: string): void => {
    try {
      write(response, answered, peer);
    } catch (error) {
      logger.error({ error }, 'answer could not be written');
      response.destroy();
    }
  };
  return {
    answer: (incoming) =>
      answering(incoming)
        .catch((error: unknown) => unanswered(error, logger))
        .then((answered) => answered && end(incoming.response, answered, incoming.peer)),
    refuse: (response, problem) => end(response, unanswered(problem, logger), peerOf(response.req.socket)),
  };
}

/**
 * Writes an answer to a request of Node's HTTP server. Writes a 503 in its place while unread answers take all the memory
 * for them. Closes the connection after a 503.
 */
function write(response: ServerResponse, answered: HttpResponse, peer: string): void {
  const { statusCode, headers, body } = readable(response, answered, peer);
  // The process may lack file descriptors, and load balancers would keep the idle connection for long
  if (statusCode === 503) response.shouldKeepAlive = false;
  const length = statusCode === 204 ? {} : { 'content-length': Buffer.byteLength(body) };
  response.writeHead(statusCode, { ...headers, ...length });
  response.end(body);
}

/** Takes the memory for an answer until its caller has read it. */
function readable(response: ServerResponse, answered: HttpResponse, peer: string): HttpResponse {
  const bytes = Buffer.byteLength(answered.body);
  if (unread.take(peer, bytes)) {
    response.once('close', () => unread.giveBack(peer, bytes));
    return answered;
  }
  const problem = new Problem('service-unavailable', {
    detail: `Answers that nobody has read yet use all the memory for them. Try again in ${UNREAD_RETRY_AFTER_SECONDS} s.`,
    headers: { 'retry-after': String(UNREAD_RETRY_AFTER_SECONDS) },
  });
  return problem.toResponse(answered.headers['x-request-id'] ?? '');
}

/** Makes the answer to a request whose handling threw, and logs the error. */
function unanswered(error: unknown, logger: Logger): HttpResponse {
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

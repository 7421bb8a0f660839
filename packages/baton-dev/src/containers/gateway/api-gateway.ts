// API Gateway for containers.
import { Problem } from 'baton-tasks/http';
import type { Logger } from 'baton-tasks/service';
import {
  type Address,
  CALLER_HEADER,
  checkWebPage,
  type ConnectionTimeouts,
  type HttpResponse,
  type Incoming,
  listenAt,
  MAX_BODY_BYTES,
  problemsOf,
  type RateLimit,
  type RunningServer,
  signedCaller,
  toGatewayEvent,
  type TrustedProxies,
} from 'baton-tasks/tooling/processes';
import type { Routing } from '../routing.ts';
import { unknownRoute } from '../../embedded/unknown-route.ts';
import { type Forwarder, ServiceAwayError } from './forwarder.ts';

/** How long API Gateway waits for an integration of an HTTP API (AWS: "Quotas"). */
const TIMEOUT_MS = 30_000;
const RETRY_AFTER_SECONDS = 5;

/** Configures the gateway: its API and its Invoke API. */
export interface GatewayOptions extends Address, ConnectionTimeouts {
  readonly routing: Routing;
  readonly forwarder: Forwarder;
  /** The address of a service, such as `http://payments-service:8000`. */
  readonly originOf: (service: string) => string;
  /** The proxies in front of the gateway. */
  readonly proxies: TrustedProxies;
  /** The secret that callers of Invoke give, and that services have too. Signs who calls. */
  readonly token: string;
  /** The limit of each caller. Default: none. */
  readonly rateLimit?: RateLimit | undefined;
  /** Its names, if everybody may call: then it refuses requests of web pages. Default: any name and page. */
  readonly allowedHosts?: readonly string[] | undefined;
  readonly logger: Logger;
}

/**
 * Serves all services at one address, as API Gateway does. The first part of the path selects the service. The answer is
 * 404 if there is no such service, and 503 with Retry-After if it does not answer, both as `application/problem+json`.
 */
export function serveApiGateway(options: GatewayOptions): Promise<RunningServer> {
  const elsewhere = unknownRoute(options.logger);
  return listenAt(
    options,
    problemsOf(options.logger, (incoming) => answer(incoming, elsewhere, options)),
  );
}

/** Resolves to the gateway's own answer, or to undefined once it has forwarded the service's. */
async function answer(
  { request, response, body }: Incoming,
  elsewhere: ReturnType<typeof unknownRoute>,
  { routing, forwarder, originOf, proxies, token, rateLimit, allowedHosts }: GatewayOptions,
): Promise<HttpResponse | undefined> {
  checkWebPage(request, allowedHosts);
  await rateLimit?.check(request);
  const [, prefix = ''] = /^\/([^/?]*)/.exec(request.url ?? '') ?? [];
  const service = routing.services.get(prefix);
  if (service === undefined) return elsewhere(toGatewayEvent(request, Buffer.alloc(0)), {});
  // Read the whole body first, as API Gateway does: a service that refuses a long body closes the connection early
  const whole = await body(MAX_BODY_BYTES);
  // Without it, all callers would share what the service gives to the gateway, and one could take it
  const headers = { [CALLER_HEADER]: signedCaller(proxies.callerOf(request), token) };
  await forwarder
    .forward(request, response, { origin: originOf(service), timeoutMs: TIMEOUT_MS, body: whole, headers })
    .catch((error: unknown) => {
      throw error instanceof ServiceAwayError ? away(error) : error;
    });
  return undefined;
}

function away(cause: ServiceAwayError): Problem {
  return new Problem('service-unavailable', {
    detail: `The service does not answer. Try again in ${RETRY_AFTER_SECONDS} s; send a POST with an Idempotency-Key, so that it counts once.`,
    headers: { 'retry-after': String(RETRY_AFTER_SECONDS) },
    cause,
  });
}

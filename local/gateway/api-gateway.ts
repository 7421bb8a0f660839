import type { IncomingMessage, ServerResponse } from 'node:http';
import { toGatewayEvent } from '@baton/common/http/gateway-event';
import { type Address, listenAt, type RunningServer } from '@baton/common/http/listener';
import { Problem } from '@baton/common/http/problem';
import { write } from '@baton/common/http/server';
import type { Logger } from '@baton/common/telemetry/logger';
import { v7 as uuidv7 } from 'uuid';
import type { Routing } from '../routing.ts';
import { handler as unknownRoute } from '../unknown-route.ts';
import { type Forwarder, ServiceAwayError } from './forwarder.ts';

/** API Gateway waits so long for an integration of an HTTP API, and takes bodies of so many bytes (AWS: "Quotas"). */
const TIMEOUT_MS = 30_000;
const MAX_BODY_BYTES = 10 * 1024 * 1024;
const RETRY_AFTER_SECONDS = 5;

/** What the gateway's two sides are made of. */
export interface GatewayOptions extends Address {
  readonly routing: Routing;
  readonly forwarder: Forwarder;
  /** Where a service listens, such as `http://order-service:8000`. */
  readonly originOf: (service: string) => string;
  readonly logger: Logger;
}

/**
 * Serves all services at one address, as API Gateway does: by the first part of the path. What leads to no service is
 * a 404, a service that does not answer a 503 with Retry-After, both as `application/problem+json`.
 */
export function serveApiGateway(options: GatewayOptions): Promise<RunningServer> {
  return listenAt(options, (request, response) =>
    answer(request, response, options).catch((error: unknown) => {
      const requestId = uuidv7();
      options.logger.warn({ requestId, path: request.url, error }, 'request could not be handed on');
      const { headers, ...rest } = problemOf(error).toResponse(requestId);
      write(response, { ...rest, headers: { ...headers, 'x-request-id': requestId } });
    }),
  );
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { routing, forwarder, originOf }: GatewayOptions,
): Promise<void> {
  const [, prefix = ''] = /^\/([^/?]*)/.exec(request.url ?? '') ?? [];
  const service = routing.services.get(prefix);
  if (service === undefined) {
    write(response, await unknownRoute(toGatewayEvent(request, Buffer.alloc(0)), {}));
    return;
  }
  if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) throw tooLong();
  await forwarder.forward(request, response, { origin: originOf(service), timeoutMs: TIMEOUT_MS });
}

/** The connection closes, because the body is not read. */
function tooLong(): Problem {
  const detail = `The body is longer than the ${MAX_BODY_BYTES} bytes that are taken.`;
  return new Problem('body-too-large', { detail, headers: { connection: 'close' } });
}

function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof ServiceAwayError) {
    const detail = `The service does not answer at the moment. Try again in ${RETRY_AFTER_SECONDS} s; a POST with an Idempotency-Key, to be sure that it counts once.`;
    const headers = { 'retry-after': String(RETRY_AFTER_SECONDS) };
    return new Problem('service-unavailable', { detail, headers, cause: error });
  }
  const detail = 'The request could not be answered. The log has more under its requestId.';
  return new Problem('internal-error', { detail, cause: error });
}

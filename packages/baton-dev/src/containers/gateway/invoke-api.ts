// Lambda's Invoke API for containers.
import {
  DEADLINE_HEADER,
  functionNameOf,
  type Incoming,
  invocationsOf,
  type InvokeAnswer,
  listenAt,
  MAX_INVOCATIONS,
  refused,
  type RunningServer,
} from 'baton-tasks/tooling/processes';
import type { GatewayOptions } from './api-gateway.ts';
import { ServiceAwayError } from './forwarder.ts';

/** Configures the Invoke API: its callers are workers, and have the token themselves. */
type InvokeOptions = Omit<GatewayOptions, 'proxies'>;

/** How much longer than its time limit a function has to answer that it timed out. */
const ANSWER_RESERVE_MS = 5000;

/**
 * Serves Lambda's Invoke for the functions of all services, by their names on AWS, so that a worker need not know the
 * services. Forwards each invocation to the service's container, with the deadline from the timeout in functions.yml. If
 * the service is unavailable, the answer is Lambda's throttling error, so that the worker retries until its lease expires.
 * The services get the secret of the caller.
 */
export function serveInvokeApi(options: InvokeOptions): Promise<RunningServer> {
  const { logger } = options;
  return listenAt(
    { maxUnderWay: MAX_INVOCATIONS, ...options },
    invocationsOf(options, async (incoming, requestId) => {
      incoming.place();
      return answer(incoming, options).catch((error: unknown) => {
        logger.warn({ requestId, path: incoming.request.url, error }, 'invocation could not be forwarded');
        return error instanceof ServiceAwayError
          ? refused(429, 'TooManyRequestsException', error.message)
          : refused(500, 'ServiceException', 'The invocation could not be forwarded');
      });
    }),
  );
}

/** Resolves to the gateway's own answer, or to undefined once it has forwarded the function's. */
async function answer(
  { request, response }: Incoming,
  { routing, forwarder, originOf }: InvokeOptions,
): Promise<InvokeAnswer | undefined> {
  const name = functionNameOf(request);
  const consumer = routing.consumers.get(name);
  if (!consumer) return refused(404, 'ResourceNotFoundException', `Function not found: ${name}`);
  const { service, handler, timeoutSeconds } = consumer;
  const timeoutMs = timeoutSeconds * 1000;
  request.url = `/2015-03-31/functions/${handler}/invocations`;
  await forwarder.forward(request, response, {
    origin: originOf(service),
    timeoutMs: timeoutMs + ANSWER_RESERVE_MS,
    headers: { [DEADLINE_HEADER]: String(Date.now() + timeoutMs) },
  });
  return undefined;
}

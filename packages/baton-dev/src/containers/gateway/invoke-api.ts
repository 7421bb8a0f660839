// Lambda's Invoke API for containers.
import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  DEADLINE_HEADER,
  functionNameOf,
  listenAt,
  refused,
  type RunningServer,
  writeInvokeAnswer,
} from 'baton-tasks/tooling';
import { v7 as uuidv7 } from 'uuid';
import type { GatewayOptions } from './api-gateway.ts';
import { ServiceAwayError } from './forwarder.ts';

/** How much longer than its time limit a function has to answer that it timed out. */
const ANSWER_RESERVE_MS = 5000;

/**
 * Serves Lambda's Invoke for the functions of all services, by their names on AWS, so that a worker need not know the
 * services. Forwards each invocation to the service's container, with the deadline from the timeout in functions.yml. If
 * the service is unavailable, the answer is Lambda's throttling error, so that the worker retries until its lease expires.
 */
export function serveInvokeApi(options: GatewayOptions): Promise<RunningServer> {
  return listenAt(options, (request, response) => {
    const requestId = uuidv7();
    return answer(request, response, requestId, options).catch((error: unknown) => {
      options.logger.warn({ requestId, path: request.url, error }, 'invocation could not be forwarded');
      const away = error instanceof ServiceAwayError;
      const answered = away
        ? refused(429, 'TooManyRequestsException', error.message)
        : refused(500, 'ServiceException', 'The invocation could not be forwarded');
      writeInvokeAnswer(response, requestId, answered);
    });
  });
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  requestId: string,
  { routing, forwarder, originOf }: GatewayOptions,
): Promise<void> {
  const name = functionNameOf(request);
  const consumer = routing.consumers.get(name);
  if (!consumer) {
    const answered = refused(404, 'ResourceNotFoundException', `Function not found: ${name}`);
    writeInvokeAnswer(response, requestId, answered);
    return;
  }
  const { service, handler, timeoutSeconds } = consumer;
  const timeoutMs = timeoutSeconds * 1000;
  request.url = `/2015-03-31/functions/${handler}/invocations`;
  await forwarder.forward(request, response, {
    origin: originOf(service),
    timeoutMs: timeoutMs + ANSWER_RESERVE_MS,
    headers: { [DEADLINE_HEADER]: String(Date.now() + timeoutMs) },
  });
}

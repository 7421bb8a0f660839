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

/** What a function that was not done in time is given to say so. */
const ANSWER_RESERVE_MS = 5000;

/**
 * Serves Lambda's Invoke for the functions of all services, by the names that they have on AWS, so that a worker needs
 * to know none of the services. Each is handed to its service's container, with the end of the time that its
 * functions.yml gives it. A service that is away has no room for an invocation, which Lambda calls throttling: whoever
 * invoked makes it again, for as long as a lease lasts.
 */
export function serveInvokeApi(options: GatewayOptions): Promise<RunningServer> {
  return listenAt(options, (request, response) => {
    const requestId = uuidv7();
    return answer(request, response, requestId, options).catch((error: unknown) => {
      options.logger.warn({ requestId, path: request.url, error }, 'invocation could not be handed on');
      const away = error instanceof ServiceAwayError;
      const answered = away
        ? refused(429, 'TooManyRequestsException', error.message)
        : refused(500, 'ServiceException', 'The invocation could not be handed on');
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

// The answer to requests that match no service.
import type { ApiHandler } from 'baton-tasks/http';
import { createLogger, type Logger } from 'baton-tasks/service';
import { createRouter } from 'baton-tasks/tooling/processes';

/** Answers requests that match no service's prefix, with the same problem+json as a service. */
export function unknownRoute(logger: Logger): ApiHandler {
  return createRouter({ logger }, []);
}

let embedded: ApiHandler | undefined;

/** The same as a function. Makes its logger at the first event, because LOG_LEVEL is checked by then. */
export const handler: ApiHandler = (event, context) => {
  const level = process.env['LOG_LEVEL'] ?? 'info';
  embedded ??= unknownRoute(createLogger({ service: 'local', level }));
  return embedded(event, context);
};

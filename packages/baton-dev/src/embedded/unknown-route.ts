import { type ApiHandler, createApi } from 'baton-tasks/http';
import { createLogger, type Logger } from 'baton-tasks/service';

/** Answers what no service's prefix matches with the same problem+json as any service would. */
export function unknownRoute(logger: Logger): ApiHandler {
  return createApi({ logger }, []);
}

let embedded: ApiHandler | undefined;

/** The same as a function. Its logger is made with the first event: whoever imports this has checked LOG_LEVEL by then. */
export const handler: ApiHandler = (event, context) => {
  const level = process.env['LOG_LEVEL'] ?? 'info';
  embedded ??= unknownRoute(createLogger({ service: 'local', level }));
  return embedded(event, context);
};

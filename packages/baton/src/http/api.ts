// Makes an API of routes: the handler of a Lambda function, and of the container's HTTP server.
import type { Environment } from '../process/config.ts';
import type { Logger } from '../telemetry/logger.ts';
import { authenticationOf } from './authentication.ts';
import type { Route } from './route.ts';
import { type ApiHandler, createRouter } from './router.ts';

/**
 * Makes the handler of an API from its routes, for a service.
 *
 * Reads from the service's environment how it finds out who calls. `AUTHENTICATION=jwt`, the default, checks the token of
 * each request: JWT_ISSUER and JWT_AUDIENCE say whose tokens are valid, and JWT_JWKS_URL where the issuer's keys are if its
 * /.well-known/openid-configuration does not say it. `AUTHENTICATION=none` lets everybody call every route. A missing or
 * wrong variable ends the process with status 1 and one line for each.
 *
 * It answers every request: a thrown Problem is sent unchanged, a dependency that does not answer is a 503 with Retry-After,
 * and any other error is a 500 without internal details.
 *
 * Each answer has the header `x-request-id`: the caller's own id if it is valid, otherwise a new one.
 */
export function createApi(
  { logger, environment }: { readonly logger: Logger; readonly environment: Environment },
  routes: readonly Route[],
): ApiHandler {
  return createRouter({ logger, authenticate: authenticationOf(environment, logger) }, routes);
}

// A service as a process, as in its container.
import type { ApiHandler } from '../http/router.ts';
import type { Functions } from '../http/function-server.ts';
import { runServer } from '../http/run-server.ts';
import { orExit, parseConfig, serverVariables } from '../process/config.ts';
import type { Service } from './service.ts';

/** Configures a service's process. */
export interface ServiceProcess {
  /** The service's API. */
  readonly handler: ApiHandler;
  /** The service's consumers, by the names of their functions. They are served if FUNCTIONS_PORT is set. */
  readonly functions?: Functions;
  /** Resolves if the service can do its work, because all that it depends on answers. Default: it always can. */
  readonly ready?: () => Promise<unknown>;
}

/**
 * Serves a service's API, and its functions if FUNCTIONS_PORT is set, until SIGTERM or SIGINT. Requests under way are
 * answered within DRAIN_TIMEOUT_SECONDS; then the process ends with status 0. A wrong variable, or a port that is taken,
 * ends it with status 1 and a line that says so.
 */
export async function runService(
  { port, logger, environment }: Service,
  { handler, functions, ready = async () => undefined }: ServiceProcess,
): Promise<void> {
  const server = orExit(() => parseConfig(serverVariables(port), environment));
  await runServer({ ...server, handler, logger, ready, ...(functions && { functions }) });
}

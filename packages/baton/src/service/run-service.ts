// A service as a process, as in its container.
import type { ApiHandler } from '../http/router.ts';
import type { Functions } from '../http/function-server.ts';
import { runServer } from '../http/run-server.ts';
import { orExit, parseConfig } from '../process/config.ts';
import { serverVariables } from '../http/server-config.ts';
import type { Service } from './service.ts';

/** Configures a service's process. */
export interface ServiceProcess {
  /** The service's API. */
  readonly handler: ApiHandler;
  /** The service's consumers, by the names of their functions. They are served if FUNCTIONS_PORT is set. */
  readonly functions?: Functions;
  /**
   * Whether the service can do its work: a check of each dependency, under a short word such as `store` or `queue`.
   * `/health/ready` shows the words of those that do not answer, and the log why. Default: it always can.
   */
  readonly ready?: Readonly<Record<string, () => Promise<unknown>>>;
}

/**
 * Serves a service's API, and its functions if FUNCTIONS_PORT is set, until SIGTERM or SIGINT. Requests under way are
 * answered within DRAIN_TIMEOUT_SECONDS; then the process ends with status 0. A wrong variable, or a port that is taken,
 * ends it with status 1 and a line that says so.
 */
export async function runService(
  { name, port, logger, environment }: Service,
  { handler, functions, ready = {} }: ServiceProcess,
): Promise<void> {
  const server = orExit(() => parseConfig(serverVariables(port), environment));
  await runServer({ ...server, name, handler, logger, ready, ...(functions && { functions }) });
}

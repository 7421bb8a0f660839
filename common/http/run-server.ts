import type { Logger } from '../telemetry/logger.ts';
import { logState } from '../telemetry/standard-output.ts';
import { type Functions, serveFunctions } from './function-server.ts';
import type { RunningServer } from './listener.ts';
import { serve, type ServerOptions } from './server.ts';

/** What a service's process runs. */
export interface RunOptions extends ServerOptions {
  /** The service's consumers, which its process runs too where it is given a port for them: as containers do. */
  readonly functions?: { readonly handlers: Functions; readonly port: number | undefined };
}

/** Runs a service's HTTP server as a process; see runServers. */
export async function runServer(options: RunOptions): Promise<void> {
  const { logger, host, functions } = options;
  const starting = [serve({ state: () => ({ logs: logState() }), ...options })];
  if (functions?.port !== undefined)
    starting.push(serveFunctions({ host, port: functions.port, functions: functions.handlers, logger }));
  const [port, functionsPort] = await runServers(starting, logger);
  logger.info({ host, port, functionsPort }, `listening on http://${host}:${port}`);
}

/**
 * Runs servers as a process: from now until SIGTERM or SIGINT, upon which requests under way are still answered. A
 * start that fails says why in one line and ends the process with status 1.
 *
 * @returns their ports
 */
export async function runServers(starting: Promise<RunningServer>[], logger: Logger): Promise<number[]> {
  const servers = await Promise.all(starting).catch((error: unknown) => fail(logger, error));
  const stop = async (signal: NodeJS.Signals): Promise<never> => {
    logger.info({ signal }, 'stopping');
    await Promise.all(servers.map((server) => server.close()));
    logger.info('stopped');
    // Nothing is under way; connections that are kept for later (SMTP's for a minute) would keep the process
    process.exit(0);
  };
  process.once('SIGTERM', (signal) => void stop(signal)).once('SIGINT', (signal) => void stop(signal));
  return servers.map(({ port }) => port);
}

function fail(logger: Logger, error: unknown): never {
  logger.fatal({ error }, Error.isError(error) ? error.message : String(error));
  process.exit(1);
}

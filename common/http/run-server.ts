import type { Logger } from '../telemetry/logger.ts';
import { serve, type ServerOptions } from './server.ts';

/**
 * Runs a service's HTTP server as a process: from now until SIGTERM or SIGINT, upon which requests under way are
 * still answered. A start that fails says why in one line and ends the process with status 1.
 */
export async function runServer(options: ServerOptions): Promise<void> {
  const { logger, host } = options;
  const server = await serve(options).catch((error: unknown) => fail(logger, error));
  const stop = (signal: NodeJS.Signals): void => {
    logger.info({ signal }, 'stopping');
    void server.close().then(() => logger.info('stopped'));
  };
  process.once('SIGTERM', stop).once('SIGINT', stop);
  logger.info({ host, port: server.port }, `listening on http://${host}:${server.port}`);
}

function fail(logger: Logger, error: unknown): never {
  logger.fatal({ error }, Error.isError(error) ? error.message : String(error));
  process.exit(1);
}

// Servers as a process: their start, and their stop after a signal.
import { exitProcess, exitWithin } from '../process/exit.ts';
import { ownAddressIn } from '../process/own-address.ts';
import type { Logger } from '../telemetry/logger.ts';
import { logState } from '../telemetry/standard-output.ts';
import { reasonOf } from '../telemetry/thrown.ts';
import { within } from '../time/within.ts';
import { type Functions, serveFunctions } from './function-server.ts';
import { Health, type HealthOptions } from './health.ts';
import type { RunningServer } from './listener.ts';
import { serve, serveProcessHealth, type ServerOptions } from './server.ts';

/** How long a stop may take beyond the drain time. */
const STOP_RESERVE_MS = 5000;

/** Configures a service's process. */
export interface RunOptions
  extends Omit<ServerOptions, 'health' | 'gatewayToken'>, Omit<HealthOptions, 'state'>, StopOptions {
  /** The service's name, which is also its container's. */
  readonly name: string;
  /** The port of the process's health. Without it, the API's port answers `/health/live` and `/health/ready`. */
  readonly healthPort?: number | undefined;
  /** The service's consumers, by the names of their functions. */
  readonly functions?: Functions;
  /** The port of the consumers. Without it, the process does not serve them. */
  readonly functionsPort?: number | undefined;
  /** The only network of Docker from which the consumers are reached. Without it, they listen where the API does. */
  readonly functionsNetwork?: string | undefined;
  /** The secret of the consumers' callers. The gateway has it too, and signs with it who calls the API. */
  readonly functionsToken?: string | undefined;
}

/** Configures the stop of a process. */
export interface StopOptions {
  /** How long requests under way may continue after SIGTERM, in seconds. Then their connections are cut. */
  readonly drainTimeoutSeconds: number;
  readonly logger: Logger;
}

/** Runs a service's HTTP servers as a process: see `runServers`. */
export async function runServer(options: RunOptions): Promise<void> {
  const { name, logger, host, healthPort, allowedHosts, functionsToken } = options;
  const own = { gatewayToken: functionsToken, allowedHosts: allowedHosts && [...allowedHosts, name] };
  const api = { ...options, ...own };
  // Operators alone reach a port of its own
  const state = (): object => ({ logs: logState() });
  const starting = [
    serve(healthPort === undefined ? { ...api, health: new Health(options) } : api),
    ...(healthPort === undefined ? [] : [serveProcessHealth({ ...options, state, port: healthPort })]),
    ...serversOfFunctions(options),
  ];
  const [port] = await runServers(starting, options);
  const { functionsPort } = options;
  logger.info({ host, port, healthPort, functionsPort }, `listening on http://${host}:${port}`);
}

function serversOfFunctions(options: RunOptions): Promise<RunningServer>[] {
  const { name, host, functions, functionsPort, functionsNetwork, functionsToken } = options;
  if (!functions || functionsPort === undefined || functionsToken === undefined) return [];
  const at = functionsNetwork === undefined ? Promise.resolve(host) : ownAddressIn(functionsNetwork, name);
  const server = { ...options, functions, port: functionsPort, token: functionsToken };
  return [at.then((address) => serveFunctions({ ...server, host: address }))];
}

/**
 * Runs servers until SIGTERM or SIGINT, then ends the process with status 0. Requests under way are still answered within
 * the drain time; a second signal cuts them. If the stop takes 5 s longer than the drain time, the status is 124. If a
 * server cannot start, a log line says why and the status is 1.
 *
 * @returns the servers' ports
 */
export async function runServers(
  starting: Promise<RunningServer>[],
  options: StopOptions,
): Promise<number[]> {
  const { logger } = options;
  const servers = await Promise.all(starting).catch((error: unknown) => fail(logger, error));
  const again = Promise.withResolvers<void>();
  let stopping: Promise<never> | undefined;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (stopping) again.resolve();
    stopping ??= stop(servers, signal, again.promise, options);
  };
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal);
  return servers.map(({ port }) => port);
}

async function stop(
  servers: readonly RunningServer[],
  signal: NodeJS.Signals,
  again: Promise<void>,
  { logger, drainTimeoutSeconds }: StopOptions,
): Promise<never> {
  const drainMs = drainTimeoutSeconds * 1000;
  logger.info({ signal }, 'stopping');
  exitWithin(drainMs + STOP_RESERVE_MS, () => logger.fatal('not stopped in time: the process is ended'));
  const closed = Promise.all(servers.map((server) => server.close()));
  const drained = Promise.race([closed.then(() => true), again.then(() => false)]);
  if (!(await within(drainMs, drained, () => false))) {
    const underWay = servers.reduce((sum, server) => sum + server.underWay, 0);
    logger.warn({ underWay }, 'drain time is over: connections of requests under way are cut');
    for (const server of servers) server.cut();
    await closed;
  }
  logger.info('stopped');
  // No request is under way, but idle connections would keep the process alive
  return exitProcess(0);
}

function fail(logger: Logger, error: unknown): never {
  logger.fatal({ error }, reasonOf(error));
  return exitProcess(1);
}

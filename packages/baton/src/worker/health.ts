import { createApi } from '../http/api.ts';
import type { RunningServer } from '../http/listener.ts';
import { serve } from '../http/server.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { WorkerConfig } from './config.ts';
import type { Worker } from './worker.ts';

/** Serves the worker's health: `/health/live`, `/health/ready` and `/health/state`. @throws Error when the port is taken */
export function serveHealth(
  worker: Worker,
  { healthHost, healthPort }: WorkerConfig,
  logger: Logger,
): Promise<RunningServer> {
  return serve({
    handler: createApi({ logger }, []),
    live: () => worker.live(),
    ready: () => worker.ready(),
    state: () => worker.state,
    host: healthHost,
    port: healthPort,
    logger,
  });
}

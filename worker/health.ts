import { createApi } from '@baton/common/http/api';
import type { RunningServer } from '@baton/common/http/listener';
import { serve } from '@baton/common/http/server';
import type { Logger } from '@baton/common/telemetry/logger';
import type { WorkerConfig } from './config.ts';
import type { Worker } from './worker.ts';

/** Serves the worker's health: `/health/live`, `/health/ready` and `/health/state`. @throws Error when the port is taken */
export function serveHealth(
  worker: Worker,
  { healthHost, healthPort }: WorkerConfig,
  logger: Logger,
): Promise<RunningServer> {
  return serve({
    handler: createApi({ routes: [], logger }),
    live: () => worker.live(),
    ready: () => worker.ready(),
    state: () => worker.state,
    host: healthHost,
    port: healthPort,
    logger,
  });
}

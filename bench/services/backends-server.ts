import { randomBytes } from 'node:crypto';
import { createLogger } from 'baton-tasks/service';
import { eventSourcesOf } from 'baton-dev/stack/event-sources';
import { readStack } from 'baton-dev/stack/described-stack';
import { partFolders } from 'baton-dev/stack/part';
import { Forwarder } from 'baton-dev/containers/gateway/forwarder';
import { serveInvokeApi } from 'baton-dev/containers/gateway/invoke-api';
import { routingOf } from 'baton-dev/containers/routing';
import { startBackends } from 'baton-dev/testing/backends';
import type { Environment } from './backends.ts';
import { tablesOf } from './environment.ts';

// Emulates AWS and invokes the services' functions, in a process of its own. `Backends` starts it.

const functionsPorts = JSON.parse(process.env['FUNCTIONS_PORTS'] ?? '{}') as Record<string, number>;
const { environment, stage } = await startBackends(partFolders());
const { functions, resources } = await readStack(stage);
const token = randomBytes(32).toString('base64url');
const lambda = await serveInvokeApi({
  token,
  routing: routingOf(functions, stage),
  forwarder: new Forwarder(),
  logger: createLogger({ service: 'bench', level: 'silent' }),
  originOf: (service) => `http://127.0.0.1:${functionsPorts[service]}`,
  host: '127.0.0.1',
  port: 0,
});
const sources = eventSourcesOf(functions, resources, stage);
const started: Environment = {
  ...environment,
  ...tablesOf(stage),
  AWS_ENDPOINT_URL_LAMBDA: `http://127.0.0.1:${lambda.port}`,
  WORKER_LAMBDA_QUEUES: JSON.stringify(sources),
  FUNCTIONS_TOKEN: token,
};
process.once('disconnect', () => process.exit(0)).send?.(started);

import { createLogger } from 'baton-tasks/service';
import { eventSourcesOf } from 'baton-dev/embedded/event-sources';
import { parts, servicesFunctions, servicesResources } from 'baton-dev/embedded/functions-yml';
import { Forwarder } from 'baton-dev/embedded/gateway/forwarder';
import { serveInvokeApi } from 'baton-dev/embedded/gateway/invoke-api';
import { readRouting } from 'baton-dev/embedded/routing';
import { startBackends } from '@baton/tests/backends';
import type { Environment } from './backends.ts';
import { tablesOf } from './environment.ts';

// What AWS would be, and a gateway to the services' functions, in a process of its own, for `Backends`

const functionsPorts = JSON.parse(process.env['FUNCTIONS_PORTS'] ?? '{}') as Record<string, number>;
const { environment, stage } = await startBackends(parts);
const lambda = await serveInvokeApi({
  routing: readRouting(stage),
  forwarder: new Forwarder(),
  logger: createLogger({ service: 'bench', level: 'silent' }),
  originOf: (service) => `http://127.0.0.1:${functionsPorts[service]}`,
  host: '127.0.0.1',
  port: 0,
});
const prefix = `baton-${stage}-`;
const functions = Object.entries(servicesFunctions(parts, stage)).map(([key, described]) => [
  key,
  { name: prefix + key, ...described },
]);
const sources = eventSourcesOf(Object.fromEntries(functions), servicesResources(parts, stage), prefix);
const started: Environment = {
  ...environment,
  ...tablesOf(stage),
  AWS_ENDPOINT_URL_LAMBDA: `http://127.0.0.1:${lambda.port}`,
  WORKER_LAMBDA_QUEUES: JSON.stringify(sources),
};
process.once('disconnect', () => process.exit(0)).send?.(started);

// The gateway as a process.
import { orExit, runServers } from 'baton-tasks/tooling';
import { createLogger } from 'baton-tasks/service';
import { readGatewayConfig } from '../config.ts';
import { routingOf } from '../routing.ts';
import { readStackFile } from '../stack-file.ts';
import { serveApiGateway } from './api-gateway.ts';
import { Forwarder } from './forwarder.ts';
import { serveInvokeApi } from './invoke-api.ts';

const config = orExit(() => readGatewayConfig(process.env));
const { HOST: host, PORT, FUNCTIONS_PORT } = config;
const logger = createLogger({ service: 'gateway', level: config.LOG_LEVEL });
const { functions, stage } = orExit(() => readStackFile(config.STACK_FILE));
const routing = routingOf(functions, stage);
const forwarder = new Forwarder();

/** The address of a service. Containers find it by its name, at the same ports as the gateway's own. */
const at = (port: number) => ({
  routing,
  forwarder,
  logger,
  host,
  port,
  keepAliveSeconds: config.HTTP_KEEP_ALIVE_SECONDS,
  requestTimeoutSeconds: config.HTTP_REQUEST_TIMEOUT_SECONDS,
  originOf: (service: string) => `http://${service}:${port}`,
});

const [port] = await runServers([serveApiGateway(at(PORT)), serveInvokeApi(at(FUNCTIONS_PORT))], {
  drainTimeoutSeconds: config.DRAIN_TIMEOUT_SECONDS,
  logger,
});
const prefixes = Object.fromEntries(routing.services);
logger.info({ host, port, functionsPort: FUNCTIONS_PORT, prefixes }, `listening on http://${host}:${port}`);

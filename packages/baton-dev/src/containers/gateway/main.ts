// The gateway as a process.
import {
  rateLimitOf,
  orExit,
  ownAddressIn,
  type RunningServer,
  runServers,
  serveProcessHealth,
  TrustedProxies,
} from 'baton-tasks/tooling/processes';
import { createLogger } from 'baton-tasks/service';
import { readGatewayConfig } from '../config.ts';
import { routingOf } from '../routing.ts';
import { readStackFile } from '../stack-file.ts';
import { serveApiGateway } from './api-gateway.ts';
import { Forwarder } from './forwarder.ts';
import { serveInvokeApi } from './invoke-api.ts';

/** The name of the gateway's container. */
const NAME = 'gateway';

const config = orExit(() => readGatewayConfig(process.env));
const { HOST: host, PORT, HEALTH_PORT, FUNCTIONS_PORT, FUNCTIONS_NETWORK: network } = config;
const logger = createLogger({ service: NAME, level: config.LOG_LEVEL });
const { functions, stage } = orExit(() => readStackFile(config.STACK_FILE));
const routing = routingOf(functions, stage);
const forwarder = new Forwarder();

const rateLimit = rateLimitOf(config);
const shared = {
  routing,
  forwarder,
  proxies: new TrustedProxies(config.TRUSTED_PROXIES),
  token: config.functionsToken,
  logger,
  host,
  keepAliveSeconds: config.HTTP_KEEP_ALIVE_SECONDS,
  requestTimeoutSeconds: config.HTTP_REQUEST_TIMEOUT_SECONDS,
};

/** Serves the API. Containers find a service by its name, at the same ports as the gateway's own. */
function serveApi(): Promise<RunningServer> {
  return serveApiGateway({
    ...shared,
    rateLimit,
    allowedHosts: config.allowedHosts && [...config.allowedHosts, NAME],
    port: PORT,
    originOf: (service) => `http://${service}:${PORT}`,
  });
}

/** Serves Invoke, in the network of functions alone if there is one. */
async function serveInvoke(): Promise<RunningServer> {
  const suffix = network === undefined ? '' : `.${network}`;
  return serveInvokeApi({
    ...shared,
    host: network === undefined ? host : await ownAddressIn(network, NAME),
    port: FUNCTIONS_PORT,
    originOf: (service) => `http://${service}${suffix}:${FUNCTIONS_PORT}`,
  });
}

const health = serveProcessHealth({ host, port: HEALTH_PORT, ready: {}, logger });
const [port] = await runServers([serveApi(), serveInvoke(), health], {
  drainTimeoutSeconds: config.DRAIN_TIMEOUT_SECONDS,
  logger,
});
const prefixes = Object.fromEntries(routing.services);
logger.info({ host, port, functionsPort: FUNCTIONS_PORT, prefixes }, `listening on http://${host}:${port}`);

// The configuration of the gateway and of resources.
import {
  allowedHostsOf,
  checkFunctionsServer,
  checkHttpTimeouts,
  functionsServer,
  httpTimeouts,
  rateLimitVariables,
  webPageVariables,
} from 'baton-tasks/tooling/processes';
import { endpoint, oneOf, parseConfig, port, text, wholeNumber } from 'baton-tasks/service';
import * as z from 'zod';

const STACK_FILE = text('the file that describes the stack');
const LOG_LEVEL = oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], 'info');

const gatewayVariables = z
  .object({
    LOG_LEVEL,
    STACK_FILE,
    HOST: text('an address to listen at').default('127.0.0.1'),
    PORT: port(8000),
    HEALTH_PORT: port(9090),
    ...functionsServer,
    FUNCTIONS_PORT: port(9000),
    DRAIN_TIMEOUT_SECONDS: wholeNumber(1, 3600, 60),
    ...httpTimeouts,
    ...rateLimitVariables,
    ...webPageVariables,
  })
  .superRefine(checkHttpTimeouts)
  .superRefine(checkFunctionsServer)
  .transform(({ FUNCTIONS_TOKEN, FUNCTIONS_TOKEN_FILE, ...others }) => ({
    ...others,
    allowedHosts: allowedHostsOf(others),
    // checkFunctionsServer has refused an environment that has neither
    functionsToken: FUNCTIONS_TOKEN ?? FUNCTIONS_TOKEN_FILE ?? '',
  }));

/** Reads the gateway's configuration. @throws ConfigError that names each wrong variable */
export function readGatewayConfig(environment: NodeJS.ProcessEnv): z.output<typeof gatewayVariables> {
  return parseConfig(gatewayVariables, environment);
}

const resourcesVariables = z.object({
  LOG_LEVEL,
  STACK_FILE,
  HOST: text('an address to listen at').default('127.0.0.1'),
  PORT: port(8000),
  AWS_REGION: text('a region of AWS, such as us-east-1'),
  // Required, because on AWS the deploy creates queues and tables
  AWS_ENDPOINT_URL: endpoint().unwrap(),
  EVENT_SOURCES_FILE: text('the file that event sources are written to'),
  // Without it, FUNCTIONS_TOKEN is given to each container
  FUNCTIONS_TOKEN_FILE: text('the file that a new secret for FUNCTIONS_TOKEN_FILE is written to').optional(),
});

/** Reads the configuration of `resources`, which creates queues and tables. @throws ConfigError that names each wrong variable */
export function readResourcesConfig(environment: NodeJS.ProcessEnv): z.output<typeof resourcesVariables> {
  return parseConfig(resourcesVariables, environment);
}

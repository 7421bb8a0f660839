import { endpoint, oneOf, parseConfig, port, text, wholeNumber } from 'baton-tasks/service';
import { checkHttpTimeouts, httpTimeouts } from 'baton-tasks/tooling';
import * as z from 'zod';
import { MAX_SEED } from './sqs/sqs-character.ts';

const variables = z
  .object({
    HTTP_PORT: port(3000),
    LAMBDA_PORT: port(3002),
    SQS_PORT: port(4566),
    DYNAMODB_PORT: port(4567),
    HEALTH_PORT: port(9090),
    AWS_ENDPOINT_URL_SQS: endpoint(),
    AWS_ENDPOINT_URL_DYNAMODB: endpoint(),
    SQS_SEED: wholeNumber(0, MAX_SEED, 0).unwrap().optional(),
    SQS_HOSTILE: oneOf(['true', 'false'], 'false'),
  })
  .superRefine(({ SQS_HOSTILE, AWS_ENDPOINT_URL_SQS }, context) => {
    if (SQS_HOSTILE !== 'true' || AWS_ENDPOINT_URL_SQS === undefined) return;
    const message = 'expected false, because AWS_ENDPOINT_URL_SQS names an SQS that is not the embedded one';
    context.addIssue({ code: 'custom', path: ['SQS_HOSTILE'], message });
  });

/** What the embedded runtime is configured with: its ports, and where it finds an SQS and a DynamoDB that run already. */
export type LocalConfig = z.output<typeof variables>;

/** Reads the embedded runtime's configuration. @throws ConfigError naming each variable that is wrong */
export function readLocalConfig(environment: NodeJS.ProcessEnv): LocalConfig {
  return parseConfig(variables, environment);
}

/** The stage that containers run. */
export const STAGE = 'dev';

const LOG_LEVEL = oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], 'info');

const gatewayVariables = z
  .object({
    LOG_LEVEL,
    HOST: text('an address to listen at').default('127.0.0.1'),
    PORT: port(8000),
    FUNCTIONS_PORT: port(9000),
    DRAIN_TIMEOUT_SECONDS: wholeNumber(1, 3600, 60),
    ...httpTimeouts,
  })
  .superRefine(checkHttpTimeouts);

/** Reads the gateway's configuration. @throws ConfigError naming each variable that is wrong */
export function readGatewayConfig(environment: NodeJS.ProcessEnv): z.output<typeof gatewayVariables> {
  return parseConfig(gatewayVariables, environment);
}

const resourcesVariables = z.object({
  LOG_LEVEL,
  HOST: text('an address to listen at').default('127.0.0.1'),
  PORT: port(8000),
  AWS_REGION: text('a region of AWS, such as us-east-1'),
  // Always an emulator's: on AWS itself the deploy creates them
  AWS_ENDPOINT_URL: endpoint().unwrap(),
  EVENT_SOURCES_FILE: text('the file that event sources are written to'),
});

/** Reads the configuration of what creates queues and tables. @throws ConfigError naming each variable that is wrong */
export function readResourcesConfig(environment: NodeJS.ProcessEnv): z.output<typeof resourcesVariables> {
  return parseConfig(resourcesVariables, environment);
}

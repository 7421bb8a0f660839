import { endpoint, parseConfig, port } from '@baton/common/config';
import * as z from 'zod';

const variables = z.object({
  HTTP_PORT: port(3000),
  LAMBDA_PORT: port(3002),
  SQS_PORT: port(4566),
  DYNAMODB_PORT: port(4567),
  HEALTH_PORT: port(9090),
  AWS_ENDPOINT_URL_SQS: endpoint(),
  AWS_ENDPOINT_URL_DYNAMODB: endpoint(),
});

/** What the embedded runtime is configured with: its ports, and where it finds an SQS and a DynamoDB that run already. */
export type LocalConfig = z.output<typeof variables>;

/** Reads the embedded runtime's configuration. @throws ConfigError naming each variable that is wrong */
export function readLocalConfig(environment: NodeJS.ProcessEnv): LocalConfig {
  return parseConfig(variables, environment);
}

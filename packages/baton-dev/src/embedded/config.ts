// The configuration of the embedded runtime.
import { endpoint, oneOf, parseConfig, port, wholeNumber } from 'baton-tasks/service';
import { hostNames } from 'baton-tasks/tooling/processes';
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
    AUTHENTICATION: oneOf(['none', 'jwt'], 'none').unwrap().optional(),
    // The API checks it
    JWT_ISSUER: z.string().optional(),
    ALLOWED_HOSTS: hostNames,
  })
  .superRefine(({ SQS_HOSTILE, AWS_ENDPOINT_URL_SQS }, context) => {
    if (SQS_HOSTILE !== 'true' || AWS_ENDPOINT_URL_SQS === undefined) return;
    const message = 'expected false, because AWS_ENDPOINT_URL_SQS names another SQS than the embedded one';
    context.addIssue({ code: 'custom', path: ['SQS_HOSTILE'], message });
  });

/** The configuration of the embedded runtime: its ports, and the endpoints of an SQS and a DynamoDB that run already. */
export type LocalConfig = z.output<typeof variables>;

/** Reads the embedded runtime's configuration. @throws ConfigError naming each variable that is wrong */
export function readLocalConfig(environment: NodeJS.ProcessEnv): LocalConfig {
  return parseConfig(variables, environment);
}

// `npm run test:brokers` runs the tests that use SQS against ElasticMQ, and the tests that use DynamoDB against AWS's
// DynamoDB local. An endpoint in the environment replaces either.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { DYNAMODB_LOCAL, startDynamoDbLocal } from 'baton-dev/testing/brokers/dynamodb-local';
import { ELASTICMQ, startElasticMq } from 'baton-dev/testing/brokers/elasticmq';
import { type JavaPackage, type JavaServer, missingFor } from 'baton-dev/testing/brokers/java-server';

const JEST = [
  '--experimental-vm-modules',
  '--disable-warning=ExperimentalWarning',
  'node_modules/jest/bin/jest.js',
];

/** A stand-in for an AWS service, and the tests that run against it. */
interface Target {
  readonly service: 'SQS' | 'DynamoDB';
  /** The environment variable with the service's endpoint for the AWS SDK. */
  readonly variable: string;
  readonly config: string;
  readonly own: JavaPackage;
  readonly start: () => Promise<JavaServer>;
}

const TARGETS: readonly Target[] = [
  {
    service: 'SQS',
    variable: 'AWS_ENDPOINT_URL_SQS',
    config: 'tests/brokers/jest.config.js',
    own: ELASTICMQ,
    start: () => startElasticMq(),
  },
  {
    service: 'DynamoDB',
    variable: 'AWS_ENDPOINT_URL_DYNAMODB',
    config: 'tests/brokers/stores.config.js',
    own: DYNAMODB_LOCAL,
    start: () => startDynamoDbLocal(),
  },
];

/** Runs a target's tests against an endpoint. Resolves to the exit code. */
async function runTests({ service, variable, config }: Target, endpoint: string): Promise<number> {
  process.stdout.write(`Running the tests that use ${service} against ${endpoint}\n`);
  const args = [...JEST, '--config', config, '--passWithNoTests', ...process.argv.slice(2)];
  const jest = spawn(process.execPath, args, {
    stdio: 'inherit',
    env: { ...process.env, [variable]: endpoint },
  });
  await once(jest, 'exit');
  return jest.exitCode ?? 1;
}

/** Runs a target's tests against the endpoint in the environment, or starts a server for them. */
async function run(target: Target): Promise<number> {
  const given = process.env[target.variable];
  if (given) return runTests(target, given);
  const missing = await missingFor(target.own);
  if (missing !== undefined) {
    const needed = `tests against another ${target.service} need ${missing}, or an endpoint in ${target.variable}`;
    process.stdout.write(process.env['CI'] ? `Failed: ${needed}\n` : `Skipped: ${needed}\n`);
    return process.env['CI'] ? 1 : 0;
  }
  const server = await target.start();
  // The terminal's interrupt reaches all three processes. This one waits until the others have ended
  process.on('SIGINT', () => undefined);
  try {
    return await runTests(target, server.endpoint);
  } finally {
    await server.stop();
  }
}

const codes: number[] = [];
for (const target of TARGETS) codes.push(await run(target));
process.exitCode = Math.max(...codes);

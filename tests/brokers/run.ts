import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { ElasticMq, missingForElasticMq } from '../support/elasticmq.ts';

const JEST = [
  '--experimental-vm-modules',
  '--disable-warning=ExperimentalWarning',
  'node_modules/jest/bin/jest.js',
];

/** Runs the tests that talk to SQS against the broker at an endpoint. Resolves to the exit code. */
async function runTests(endpoint: string): Promise<number> {
  process.stdout.write(`The tests that talk to SQS, against ${endpoint}\n`);
  const args = [...JEST, '--config', 'tests/brokers/jest.config.js', ...process.argv.slice(2)];
  const jest = spawn(process.execPath, args, {
    stdio: 'inherit',
    env: { ...process.env, AWS_ENDPOINT_URL_SQS: endpoint },
  });
  await once(jest, 'exit');
  return jest.exitCode ?? 1;
}

/** Runs them against the endpoint in AWS_ENDPOINT_URL_SQS, or against an ElasticMQ where there is none. */
async function run(): Promise<number> {
  const given = process.env['AWS_ENDPOINT_URL_SQS'];
  if (given) return runTests(given);
  const missing = await missingForElasticMq();
  if (missing !== undefined) {
    process.stdout.write(
      `Skipped: a second broker needs ${missing}, or an endpoint in AWS_ENDPOINT_URL_SQS\n`,
    );
    return 0;
  }
  const broker = await ElasticMq.start();
  // The terminal's interrupt reaches all three processes; this one stays until the others are gone
  process.on('SIGINT', () => undefined);
  try {
    return await runTests(broker.endpoint);
  } finally {
    await broker.stop();
  }
}

process.exitCode = await run();

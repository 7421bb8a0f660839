import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { freePort } from 'baton-dev/testing/program';
import { ROOT } from 'baton-dev/stack/root';

/** A script that runs LocalStack and its functions as plain processes. Only some machines have it. */
const LOCALSTACK = fileURLToPath(
  new URL('../../../shared/tools/localstack-host/localstack-host.sh', import.meta.url),
);
/** What of AWS the stack and its tests use. */
const SERVICES =
  'sqs,dynamodb,s3,cloudformation,iam,sts,logs,lambda,apigateway,events,ssm,cloudwatch,secretsmanager';
const JEST = [
  '--experimental-vm-modules',
  '--disable-warning=ExperimentalWarning',
  'node_modules/jest/bin/jest.js',
];

/** Runs the tests of a deploy against the emulator at an endpoint. Resolves to the exit code. */
async function runTests(endpoint: string, more: Readonly<Record<string, string>> = {}): Promise<number> {
  process.stdout.write(`Testing the deployed system on ${endpoint}\n`);
  const args = [...JEST, '--config', 'tests/deploy/jest.config.js', ...process.argv.slice(2)];
  const env = { ...process.env, ...more, AWS_ENDPOINT_URL: endpoint };
  const jest = spawn(process.execPath, args, { stdio: 'inherit', cwd: ROOT, env });
  await once(jest, 'exit');
  return jest.exitCode ?? 1;
}

/** Runs the script of LocalStack with this Node for functions. Prints its output if it fails. */
function localStack(command: 'start' | 'stop', port: number): boolean {
  const env = { ...process.env, NODE: process.execPath };
  const { status, stdout, stderr } = spawnSync(LOCALSTACK, [command, String(port), SERVICES], {
    encoding: 'utf8',
    env,
  });
  if (status !== 0) process.stderr.write(`${LOCALSTACK} ${command}:\n${stdout}${stderr}\n`);
  return status === 0;
}

/** Runs the tests against the emulator in AWS_ENDPOINT_URL, or starts LocalStack if possible. */
async function run(): Promise<number> {
  const given = process.env['AWS_ENDPOINT_URL'];
  if (given) return runTests(given);
  if (!existsSync(LOCALSTACK)) {
    process.stdout.write('Skipped: a deploy needs an emulator of AWS in AWS_ENDPOINT_URL\n');
    return 0;
  }
  const port = await freePort();
  if (!localStack('start', port)) {
    if (process.env['CI']) return 1;
    process.stdout.write('Skipped: LocalStack did not start\n');
    return 0;
  }
  // The terminal's interrupt reaches Jest too. This process waits until the emulator has ended
  process.on('SIGINT', () => undefined);
  try {
    return await runTests(`http://127.0.0.1:${port}`, { FUNCTIONS_REACH_THIS_MACHINE: 'yes' });
  } finally {
    localStack('stop', port);
  }
}

process.exitCode = await run();

// Runs a program of this folder on an SQS and a DynamoDB of its own, in this process: npm run example greeting
import { existsSync } from 'node:fs';
import process from 'node:process';
import { startBackends } from 'baton-dev/testing/backends';
import { freePorts } from 'baton-dev/testing/program';

const [name = 'greeting'] = process.argv.slice(2);
const program = new URL(`${name}.ts`, import.meta.url);
if (!existsSync(program)) {
  process.stderr.write(`examples/${name}.ts does not exist: expected the name of a file such as greeting\n`);
  process.exit(2);
}
const { environment } = await startBackends(['worker']);
// Short polls, because the worker's stop waits for one; and a log of warnings only
const { HEALTH_PORT } = await freePorts();
Object.assign(process.env, environment, { WORKER_WAIT_SECONDS: '1', HEALTH_PORT, LOG_LEVEL: 'warn' });
await import(program.href);
// This stops the program's worker, which ends the process
process.kill(process.pid, 'SIGTERM');

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { missingEngine } from './docker.ts';

const JEST = [
  '--experimental-vm-modules',
  '--disable-warning=ExperimentalWarning',
  'node_modules/jest/bin/jest.js',
  '--config',
  'tests/containers/jest.config.js',
];

/** Runs the tests of images and of what is made of them. Where no engine answers, it says so, which is an error in CI. */
async function run(): Promise<number> {
  const missing = await missingEngine();
  if (missing !== undefined) {
    process.stdout.write(`Skipped: the tests of containers need ${missing}\n`);
    return process.env['CI'] ? 1 : 0;
  }
  const jest = spawn(process.execPath, [...JEST, ...process.argv.slice(2)], { stdio: 'inherit' });
  // The terminal's interrupt reaches both; this one stays until the other is gone
  process.on('SIGINT', () => undefined);
  await once(jest, 'exit');
  return jest.exitCode ?? 1;
}

process.exitCode = await run();

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { docker, missingEngine } from './docker.ts';
import { FIGURES_FILE, figuresIn } from './figures.ts';
import { pageOf, tableOf } from './figures-page.ts';
import { nodeImage } from './image.ts';

const JEST = [
  '--experimental-vm-modules',
  '--disable-warning=ExperimentalWarning',
  'node_modules/jest/bin/jest.js',
  '--config',
  'tests/containers/jest.config.js',
];
const PAGE = 'docs/success-criteria.md';

/** Runs the matching tests and prints their figures. With `write` it also writes them into the page. */
async function runTests(patterns: readonly string[], write: boolean): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'baton-figures-'));
  const file = join(folder, 'figures');
  writeFileSync(file, '');
  try {
    const jest = spawn(process.execPath, [...JEST, ...patterns], {
      stdio: 'inherit',
      env: { ...process.env, [FIGURES_FILE]: file },
    });
    // The terminal's interrupt reaches both processes. This one waits until the other has ended
    process.on('SIGINT', () => undefined);
    await once(jest, 'exit');
    const figures = figuresIn(file);
    if (figures.length > 0) process.stdout.write(`\n${tableOf(figures)}\n`);
    if (write && jest.exitCode === 0) writeFileSync(PAGE, pageOf(figures, await nodeOfImages()));
    return jest.exitCode ?? 1;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The version of Node in the base image. */
async function nodeOfImages(): Promise<string> {
  const version = await docker('run', '--rm', '--entrypoint', 'node', nodeImage(), '--version');
  return version.replace('v', '');
}

/** Runs the tests of containers. Without a container engine it skips them with a message, which is an error in CI. */
async function run(): Promise<number> {
  const options = { write: { type: 'boolean', default: false } } as const;
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  const missing = await missingEngine();
  if (missing === undefined) return runTests(positionals, values.write);
  process.stdout.write(`Skipped: the tests of containers need ${missing}\n`);
  return process.env['CI'] ? 1 : 0;
}

try {
  process.exitCode = await run();
} catch (error) {
  process.stderr.write(`${Error.isError(error) ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { basename } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import { IMAGE_PREFIX } from 'baton-dev/testing/in-image';
import { note } from './figures.ts';
import { buildImage, imageFolders } from './image.ts';

const PREFIX = 'baton-test/';
const JEST = [
  '--experimental-vm-modules',
  'node_modules/jest/bin/jest.js',
  '--silent',
  '--json',
  '--testPathPatterns',
];
/** The tests of each image's program. They start SQS and DynamoDB, but no other service. */
const TESTED = imageFolders.map((folder): [name: string, pattern: string] => [
  basename(folder),
  folder === 'worker' ? '(?<!src)/worker/tests/worker' : `${folder}/tests/(api|problems)`,
]);

interface Results {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numRuntimeErrorTestSuites: number;
  /** Results by file. `message` says what failed, and is empty if nothing did. */
  readonly testResults: readonly { readonly message: string }[];
}

/** Runs the tests of one program, in its image or from source. */
async function tests(pattern: string, environment: Readonly<Record<string, string>>): Promise<Results> {
  const jest = spawn(process.execPath, [...JEST, pattern], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const chunks: Buffer[] = [];
  jest.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(jest, 'close');
  const lines = Buffer.concat(chunks).toString().split('\n');
  return JSON.parse(lines.find((line) => line.startsWith('{"num')) ?? '{}') as Results;
}

beforeAll(async () => {
  for (const folder of imageFolders) await buildImage({ folder, tag: PREFIX + basename(folder) });
});

test.each(TESTED)(
  'the image of %s passes the same tests as its source, without any other service',
  async (name, pattern) => {
    const outside = await tests(pattern, {});
    const inside = await tests(pattern, { [IMAGE_PREFIX]: PREFIX });
    const same = inside.numPassedTests === outside.numPassedTests && inside.numFailedTests === 0;
    const seen = `${name}: ${inside.numPassedTests} of ${outside.numPassedTests} tests`;
    note({
      criterion: 'SC-005',
      what: 'images behave as the source does',
      target: 'the same tests pass',
      seen,
      holds: same,
    });
    note({
      criterion: 'SC-008',
      what: 'a service is tested while all others are stopped',
      target: 'each service',
      seen,
      holds: same,
    });
    expect(inside.testResults.map(({ message }) => message).filter(Boolean)).toEqual([]);
    expect(inside).toMatchObject({
      numPassedTests: outside.numPassedTests,
      numFailedTests: 0,
      numRuntimeErrorTestSuites: 0,
    });
    expect(inside.numPassedTests).toBeGreaterThan(4);
  },
);

import { afterAll, describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readWorkerConfig } from '../config.ts';

const folder = mkdtempSync(join(tmpdir(), 'baton-'));
afterAll(() => rmSync(folder, { recursive: true }));

const environment = {
  AWS_REGION: 'us-east-1',
  QUEUE_URL_PREFIX: 'http://127.0.0.1:4566/000000000000/baton-dev-',
  TASKS_TABLE: 'baton-dev-tasks',
};
const list = '[{"queue":"order-outcomes","functionName":"outcomes","batchSize":5}]';

function fileWith(text: string): string {
  const file = join(folder, 'event-sources.json');
  writeFileSync(file, text);
  return file;
}

describe('the queues whose messages functions run', () => {
  test('come from the file of WORKER_LAMBDA_QUEUES_FILE as they would from the variable', () => {
    const fromFile = readWorkerConfig({ ...environment, WORKER_LAMBDA_QUEUES_FILE: fileWith(list) });
    const fromVariable = readWorkerConfig({ ...environment, WORKER_LAMBDA_QUEUES: list });
    expect(fromFile.lambdaQueues).toEqual([
      { queue: 'order-outcomes', functionName: 'outcomes', batchSize: 5, maximumConcurrency: 10 },
    ]);
    expect(fromVariable.lambdaQueues).toEqual(fromFile.lambdaQueues);
    expect(readWorkerConfig(environment).lambdaQueues).toEqual([]);
  });

  test('can be lanes of a queue, each with an entry of its own', () => {
    const lanes = ['mails', 'mails_high'].map((queue) => ({ queue, functionName: 'deliveries' }));
    const { lambdaQueues } = readWorkerConfig({
      ...environment,
      WORKER_LAMBDA_QUEUES: JSON.stringify(lanes),
    });
    expect(lambdaQueues.map(({ queue }) => queue)).toEqual(['mails', 'mails_high']);
  });

  test.each([
    ['is not JSON', () => fileWith('{'), {}, 'expected JSON: a list of'],
    ['lacks a member', () => fileWith('[{"queue":"q"}]'), {}, '0.functionName: Invalid input'],
    ['is not there', () => join(folder, 'missing.json'), {}, 'cannot be read: ENOENT'],
    ['stands beside the variable', () => fileWith(list), { WORKER_LAMBDA_QUEUES: list }, 'one of the two'],
    ['has a queue of the worker', () => fileWith(list), { WORKER_QUEUES: 'order-outcomes' }, 'one executor'],
  ])('stop the start where the file %s, with its name and the variable', (_what, file, more, says) => {
    const WORKER_LAMBDA_QUEUES_FILE = file();
    const read = () => readWorkerConfig({ ...environment, WORKER_LAMBDA_QUEUES_FILE, ...more });
    expect(read).toThrow(`WORKER_LAMBDA_QUEUES_FILE held "${WORKER_LAMBDA_QUEUES_FILE}"`);
    expect(read).toThrow(says);
  });
});

test.each([
  ['WORKER_WAIT_SECONDS', '0', 'expected a whole number from 1 to 20'],
  ['WORKER_CONCURRENCY', '0', 'expected a whole number from 1 to 1000'],
  ['LEASE_SECONDS', '1', 'expected a whole number from 3 to 43200'],
  ['WORKER_QUEUES', 'a b', 'expected all, none, or queue names'],
  ['WORKER_QUEUES', 'default:0', 'with a weight of 1 to 999'],
  ['WORKER_LAMBDA_QUEUES', '{', 'expected JSON'],
  ['WORKER_LAMBDA_QUEUES', '[{"queue":"q"}]', 'functionName'],
  ['WORKER_LAMBDA_QUEUES', '[{"queue":"default","functionName":"f"}]', 'default stands in WORKER_QUEUES too'],
  ['DRAIN_TIMEOUT_SECONDS', '5', 'expected at least WORKER_WAIT_SECONDS, which is 20'],
  ['QUEUE_URL_PREFIX', '', 'is not set'],
])('%s of %j stops the start', (name, value, says) => {
  const read = () => readWorkerConfig({ ...environment, WORKER_QUEUES: 'default', [name]: value });
  expect(read).toThrow(name);
  expect(read).toThrow(says);
});

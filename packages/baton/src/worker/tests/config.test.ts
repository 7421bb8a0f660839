import { afterAll, describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '../../telemetry/logger.ts';
import { Implementations } from '../../task/implementation.ts';
import { readWorkerConfig } from '../config.ts';
import { connect } from '../connections.ts';
import { Worker } from '../worker.ts';

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
  test('can come from the file WORKER_LAMBDA_QUEUES_FILE or from the variable WORKER_LAMBDA_QUEUES', () => {
    const fromFile = readWorkerConfig({ ...environment, WORKER_LAMBDA_QUEUES_FILE: fileWith(list) });
    const fromVariable = readWorkerConfig({ ...environment, WORKER_LAMBDA_QUEUES: list });
    expect(fromFile.lambdaQueues).toEqual([
      { queue: 'order-outcomes', functionName: 'outcomes', batchSize: 5, maximumConcurrency: 10 },
    ]);
    expect(fromVariable.lambdaQueues).toEqual(fromFile.lambdaQueues);
    expect(readWorkerConfig(environment).lambdaQueues).toEqual([]);
  });

  test('can be lanes of a queue, with one entry for each lane', () => {
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
    ['does not exist', () => join(folder, 'missing.json'), {}, 'cannot be read: ENOENT'],
    [
      'is set together with the variable',
      () => fileWith(list),
      { WORKER_LAMBDA_QUEUES: list },
      'one of the two',
    ],
    ['has a queue of the worker', () => fileWith(list), { WORKER_QUEUES: 'order-outcomes' }, 'one executor'],
  ])(
    'stop the start if the file %s, with an error that names the file and the variable',
    (_what, file, more, says) => {
      const WORKER_LAMBDA_QUEUES_FILE = file();
      const read = () => readWorkerConfig({ ...environment, WORKER_LAMBDA_QUEUES_FILE, ...more });
      expect(read).toThrow(`WORKER_LAMBDA_QUEUES_FILE held "${WORKER_LAMBDA_QUEUES_FILE}"`);
      expect(read).toThrow(says);
    },
  );
});

test.each([
  ['WORKER_WAIT_SECONDS', '0', 'expected a whole number from 1 to 20'],
  ['WORKER_CONCURRENCY', '0', 'expected a whole number from 1 to 1000'],
  ['WORKER_LEASE_SECONDS', '1', 'expected a whole number from 3 to 43200'],
  ['WORKER_QUEUES', 'a b', 'expected all, none, or queue names'],
  ['WORKER_QUEUES', 'default:0', 'with a weight of 1 to 999'],
  ['WORKER_LAMBDA_QUEUES', '{', 'expected JSON'],
  ['WORKER_LAMBDA_QUEUES', '[{"queue":"q"}]', 'functionName'],
  ['WORKER_LAMBDA_QUEUES', '[{"queue":"default","functionName":"f"}]', 'default is in WORKER_QUEUES too'],
  ['WORKER_DRAIN_TIMEOUT_SECONDS', '5', 'expected at least WORKER_WAIT_SECONDS, which is 20'],
  ['QUEUE_URL_PREFIX', '', 'is not set'],
])('%s of %j stops the start', (name, value, says) => {
  const read = () => readWorkerConfig({ ...environment, WORKER_QUEUES: 'default', [name]: value });
  expect(read).toThrow(name);
  expect(read).toThrow(says);
});

describe('the old name of a variable', () => {
  test.each([
    ['LEASE_SECONDS', 'leaseSeconds'],
    ['DRAIN_TIMEOUT_SECONDS', 'drainTimeoutSeconds'],
    ['ABORT_GRACE_SECONDS', 'abortGraceSeconds'],
  ] as const)('%s is read, with a warning that names the new one', (old, member) => {
    const byOld = readWorkerConfig({ ...environment, [old]: '40' });
    const byNew = readWorkerConfig({ ...environment, [`WORKER_${old}`]: '40', [old]: '' });
    expect([byOld[member], byNew[member]]).toEqual([40, 40]);
    expect(byOld.warnings).toEqual([`${old} is deprecated; expected WORKER_${old}`]);
    expect(byNew.warnings).toEqual([]);
  });

  test('is ignored if the new one is set too, with a warning', () => {
    const both = readWorkerConfig({ ...environment, LEASE_SECONDS: 'none', WORKER_LEASE_SECONDS: '40' });
    expect(both.leaseSeconds).toBe(40);
    expect(both.warnings).toEqual([
      'LEASE_SECONDS is deprecated and ignored, because WORKER_LEASE_SECONDS is set',
    ]);
  });

  test('is in a warning of a worker that starts', async () => {
    const lines: { level: string; message: string }[] = [];
    const to = { write: (line: string) => void lines.push(JSON.parse(line) as (typeof lines)[number]) };
    const config = readWorkerConfig({ ...environment, WORKER_QUEUES: 'none', LEASE_SECONDS: '40' });
    const connections = connect(config);
    connections.documents.send = () => Promise.reject(new Error('no store'));
    const implementations = new Implementations([]);
    const logger = createLogger({ service: 'tests', to });
    const worker = new Worker({ config, implementations, logger, connections, processGuard: 'off' });
    worker.start();
    await worker.stop();
    expect(lines).toContainEqual(
      expect.objectContaining({
        level: 'warn',
        message: 'LEASE_SECONDS is deprecated; expected WORKER_LEASE_SECONDS',
      }),
    );
  });
});

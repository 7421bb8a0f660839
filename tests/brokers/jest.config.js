import base from '../../jest.config.js';

/**
 * The tests that talk to SQS.
 *
 * @type {import('jest').Config}
 */
export default {
  ...base,
  rootDir: '../..',
  testMatch: [
    '**/src/{lambda,send}/tests/{lambda-consumer,task-client}.test.ts',
    '**/functions/*/tests/api.test.ts',
    '**/worker/tests/worker.test.ts',
    '**/tests/faults/{crash,network}.test.ts',
  ],
  testPathIgnorePatterns: ['/node_modules/'],
  // Each starts processes of its own, which take their time on a machine that others use, too
  testTimeout: 60_000,
};

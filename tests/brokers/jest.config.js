import base from '../../jest.config.js';

/**
 * Runs the tests that use SQS.
 *
 * @type {import('jest').Config}
 */
export default {
  ...base,
  rootDir: '../..',
  testMatch: [
    '**/src/{lambda,send}/tests/{lambda-consumer,task-client}.test.ts',
    '**/functions/*/tests/api.test.ts',
    '**/worker/tests/**/worker.test.ts',
    '**/tests/faults/{crash,network}.test.ts',
  ],
  testPathIgnorePatterns: ['/node_modules/'],
  // Long, because each test starts processes, perhaps on a busy machine
  testTimeout: 60_000,
};

import base from './jest.config.js';

/**
 * Runs the tests that use DynamoDB.
 *
 * @type {import('jest').Config}
 */
export default {
  ...base,
  testMatch: [
    '**/packages/baton/src/*/tests/{task-,tracked-}*.test.ts',
    '**/packages/baton/src/*/tests/{crashed-attempts,effects,intake,unknown-task}.test.ts',
    '**/functions/*/tests/{api,handlers,problems}.test.ts',
    '**/tests/faults/flows.test.ts',
  ],
};

import base from './jest.config.js';

/**
 * The tests of what is kept in tables.
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

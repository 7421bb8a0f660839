import base from '../../jest.config.js';

/** @type {import('jest').Config} */
export default {
  ...base,
  rootDir: '../..',
  testMatch: ['**/tests/faults/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
  // Each starts processes of its own, which take their time on a machine that others use, too
  testTimeout: 60_000,
};

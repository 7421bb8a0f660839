import base from '../../jest.config.js';

/** @type {import('jest').Config} */
export default {
  ...base,
  rootDir: '../..',
  testMatch: ['**/tests/new-service/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
  // Long, because it installs and runs the checks in a copy of the repository
  testTimeout: 300_000,
};

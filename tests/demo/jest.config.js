import base from '../../jest.config.js';

/** @type {import('jest').Config} */
export default {
  ...base,
  rootDir: '../..',
  testMatch: ['**/tests/demo/removal.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
  // It installs, and runs what contributors run, in a copy of the repository
  testTimeout: 300_000,
};

import base from '../../jest.config.js';

/** @type {import('jest').Config} */
export default {
  ...base,
  rootDir: '../..',
  testMatch: ['**/tests/attacks/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
  // Long, because programs and a browser start
  testTimeout: 60_000,
};
